//! Wires in another order: blocks without logic, built straight from rust-hdl's syntax tree because
//! its kernels cannot assign single bits.

use rust_hdl::core::ast::{Verilog, VerilogExpression, VerilogStatement};
use rust_hdl::prelude::*;

fn bit_assignment(word: &str, index: usize, value: VerilogExpression) -> VerilogStatement {
    VerilogStatement::SliceAssignment {
        base: VerilogExpression::Signal(word.into()),
        width: 1,
        offset: VerilogExpression::Literal(index.into()),
        replacement: value,
    }
}

/// N wires as one word: wire i is bit i.
#[derive(LogicBlock)]
pub struct Join<const N: usize> {
    pub wires: [Signal<In, Bit>; N],
    pub word: Signal<Out, Bits<N>>,
}

impl<const N: usize> Default for Join<N> {
    fn default() -> Self {
        Join {
            wires: std::array::from_fn(|_| Default::default()),
            word: Default::default(),
        }
    }
}

impl<const N: usize> Logic for Join<N> {
    fn update(&mut self) {
        let mut word = Bits::<N>::default();
        for (index, wire) in self.wires.iter().enumerate() {
            word = word.replace_bit(index, wire.val());
        }
        self.word.next = word;
    }

    fn connect(&mut self) {
        self.word.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut code = vec![
            VerilogStatement::Comment(format!("module join_{N}")),
            VerilogStatement::Comment("Wires as one word: wire i is bit i.".into()),
        ];
        code.extend(
            (0..N).map(|i| {
                bit_assignment("word", i, VerilogExpression::Signal(format!("wires[{i}]")))
            }),
        );
        Verilog::Combinatorial(code)
    }
}

/// A word of P bits dealt to S hands of Q = P / S bits: bit i goes to hand i % S, place i / S.
#[derive(LogicBlock)]
pub struct Deal<const P: usize, const S: usize, const Q: usize> {
    pub word: Signal<In, Bits<P>>,
    pub hands: [Signal<Out, Bits<Q>>; S],
}

impl<const P: usize, const S: usize, const Q: usize> Default for Deal<P, S, Q> {
    fn default() -> Self {
        assert_eq!(
            P,
            S * Q,
            "a word of {P} bits does not deal to {S} hands of {Q}"
        );
        Deal {
            word: Default::default(),
            hands: std::array::from_fn(|_| Default::default()),
        }
    }
}

impl<const P: usize, const S: usize, const Q: usize> Logic for Deal<P, S, Q> {
    fn update(&mut self) {
        for (index, hand) in self.hands.iter_mut().enumerate() {
            let mut bits = Bits::<Q>::default();
            for place in 0..Q {
                bits = bits.replace_bit(place, self.word.val().get_bit(place * S + index));
            }
            hand.next = bits;
        }
    }

    fn connect(&mut self) {
        for hand in &mut self.hands {
            hand.connect();
        }
    }

    fn hdl(&self) -> Verilog {
        let mut code = vec![
            VerilogStatement::Comment("module deal".into()),
            VerilogStatement::Comment(format!(
                "A word dealt to {S} hands: bit i goes to hand i % {S}, place i / {S}."
            )),
        ];
        code.extend((0..P).map(|i| {
            let bit = VerilogExpression::Index(
                Box::new(VerilogExpression::Signal("word".into())),
                Box::new(VerilogExpression::Literal(i.into())),
            );
            bit_assignment(&format!("hands[{}]", i % S), i / S, bit)
        }));
        Verilog::Combinatorial(code)
    }
}
