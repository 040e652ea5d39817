//! Verilog identifiers: joining, keywords, collisions, and the indices inside of rust-hdl's names.

use std::collections::{BTreeMap, BTreeSet};

const KEYWORDS: &str = "accept_on alias always always_comb always_ff always_latch and assert assign assume automatic \
    before begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class \
    clocking cmos config const constraint context continue cover covergroup coverpoint cross deassign default \
    defparam design disable dist do edge else end endcase endchecker endclass endclocking endconfig endfunction \
    endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram endproperty endsequence \
    endspecify endtable endtask enum event eventually expect export extends extern final first_match for force \
    foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff ifnone ignore_bins \
    illegal_bins implements implies import incdir include initial inout input inside instance int integer \
    interconnect interface intersect join join_any join_none large let liblist library local localparam logic \
    longint macromodule matches medium modport module nand negedge nettype new nexttime nmos nor noshowcancelled \
    not notif0 notif1 null or output package packed parameter pmos posedge primitive priority program property \
    protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase \
    randsequence rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 \
    rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal \
    showcancelled signed small soft solve specify specparam static string strong strong0 strong1 struct super \
    supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time timeprecision timeunit \
    tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned until \
    until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while wildcard \
    wire with within wor xnor xor";

/// Gives out identifiers that are unique within one scope.
#[derive(Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// `wanted` made an identifier: keywords get a `_` behind, a name that is taken `_2`, `_3` and so on.
    pub fn unique(&mut self, wanted: &str) -> String {
        let mut base = wanted.replace(['$', ':', '.'], "_");
        if KEYWORDS.split_ascii_whitespace().any(|k| k == base) {
            base.push('_');
        }
        let mut name = base.clone();
        let mut count = 1;
        while !self.0.insert(name.clone()) {
            count += 1;
            name = format!("{base}_{count}");
        }
        name
    }
}

/// `CoreState` and `coreState` become `CORE_STATE`.
pub fn screaming(name: &str) -> String {
    let mut out = String::new();
    let mut lower_before = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && lower_before {
            out.push('_');
        }
        lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// The loop variables in scope.
pub type Loops = BTreeMap<String, i128>;

/// Replaces each `[expression]` of a rust-hdl name by `$value`; `None` if an expression has no value.
pub fn resolve_indices(name: &str, loops: &Loops) -> Option<String> {
    let mut out = String::new();
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        let close = open + rest[open..].find(']')?;
        out.push_str(&rest[..open]);
        let value = evaluate(&rest[open + 1..close], loops)?;
        out.push_str(&format!("${value}"));
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    Some(out)
}

/// Value of an expression in `+ - * / %`, parentheses, numbers and loop variables; never negative.
fn evaluate(text: &str, loops: &Loops) -> Option<i128> {
    let mut parser = Evaluator { rest: text, loops };
    let value = parser.sum()?;
    (parser.rest.is_empty() && value >= 0).then_some(value)
}

struct Evaluator<'a> {
    rest: &'a str,
    loops: &'a Loops,
}

impl<'a> Evaluator<'a> {
    fn take(&mut self, options: &[char]) -> Option<char> {
        let c = self.rest.chars().next().filter(|c| options.contains(c))?;
        self.rest = &self.rest[1..];
        Some(c)
    }

    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn sum(&mut self) -> Option<i128> {
        let mut value = self.product()?;
        while let Some(operator) = self.take(&['+', '-']) {
            let right = self.product()?;
            value = match operator {
                '+' => value.checked_add(right)?,
                _ => value.checked_sub(right)?,
            };
        }
        Some(value)
    }

    fn product(&mut self) -> Option<i128> {
        let mut value = self.factor()?;
        while let Some(operator) = self.take(&['*', '/', '%']) {
            let right = self.factor()?;
            value = match operator {
                '*' => value.checked_mul(right)?,
                '/' => value.checked_div(right)?,
                _ => value.checked_rem(right)?,
            };
        }
        Some(value)
    }

    fn factor(&mut self) -> Option<i128> {
        if self.take(&['(']).is_some() {
            let value = self.sum()?;
            self.take(&[')'])?;
            return Some(value);
        }
        let word = self.word();
        self.loops
            .get(word)
            .copied()
            .or_else(|| parse_integer(word))
    }
}

/// A Rust integer literal: any base, underscores, type suffix.
pub fn parse_integer(text: &str) -> Option<i128> {
    let plain = text.replace('_', "");
    let suffixes = [
        "usize", "isize", "u128", "u64", "u32", "u16", "u8", "i64", "i32", "i16", "i8",
    ];
    let (digits, radix) = match plain.get(..2) {
        Some("0x") => (&plain[2..], 16),
        Some("0b") => (&plain[2..], 2),
        Some("0o") => (&plain[2..], 8),
        _ => (&plain[..], 10),
    };
    let digits = suffixes
        .iter()
        .find_map(|s| digits.strip_suffix(s))
        .unwrap_or(digits);
    i128::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_computed_at_every_level() {
        let loops = Loops::from([("i".to_string(), 2), ("j".to_string(), 5)]);
        let resolve = |name| resolve_indices(name, &loops);
        assert_eq!(
            resolve("lanes[j]$weight[2*i+1]"),
            Some("lanes$5$weight$5".into())
        );
        assert_eq!(resolve("a[((i+1))%2]$next"), Some("a$1$next".into()));
        assert_eq!(resolve("a[N-1]"), None);
        assert_eq!(resolve("a[i-3]"), None);
        assert_eq!(resolve("a[j/0]"), None);
        assert_eq!(resolve("plain"), Some("plain".into()));
    }

    #[test]
    fn names_avoid_keywords_and_each_other() {
        let mut names = Names::default();
        assert_eq!(names.unique("reg"), "reg_");
        assert_eq!(names.unique("lanes$3$y"), "lanes_3_y");
        assert_eq!(names.unique("lanes_3_y"), "lanes_3_y_2");
        assert_eq!(screaming("LoadWeights2Go"), "LOAD_WEIGHTS2_GO");
        assert_eq!(screaming("UARTState"), "UARTSTATE");
    }

    #[test]
    fn integers_of_rust_are_read() {
        assert_eq!(parse_integer("0xF_fu8"), Some(255));
        assert_eq!(parse_integer("1_000"), Some(1000));
        assert_eq!(parse_integer("0b101"), Some(5));
        assert_eq!(parse_integer("N"), None);
    }
}
