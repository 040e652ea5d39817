//! What the help of each command ends with: lines to type, each below what it does.

pub const ALL: &str = "\
Examples:
  # what is there to train on, and what is built in
  firstspike data info digits
  # from data to a model, and how good it is
  firstspike train --dataset digits --out digits.fsp
  firstspike eval digits.fsp
  # each command tells more of itself
  firstspike train --help";

pub const DATA: &str = "\
Examples:
  firstspike data fetch mnist
  firstspike data info mnist";

pub const DATA_FETCH: &str = "\
Examples:
  # MNIST and Fashion-MNIST come over the network
  firstspike data fetch all
  # the Spiking Heidelberg Digits are with their authors; you have them in ~/shd
  firstspike data fetch shd --from ~/shd";

pub const DATA_INFO: &str = "\
Examples:
  firstspike data info digits
  # a folder with a folder of pictures for each class, as 32 time steps
  firstspike data info flowers/ --steps 32
  firstspike data info shapes.npz --json";

pub const TRAIN: &str = "\
Examples:
  # the built-in digits, with the usual options: writes digits.fsp
  firstspike train
  # your own data, one hidden layer, decisions that fall early
  firstspike train --dataset shapes.npz --layers 256,64,4 --patience 0.5 --out shapes.fsp
  # after Ctrl-C: the same command goes on
  firstspike train --dataset mnist --epochs 160 --out mnist.fsp --resume
  # how it went, as a table and as a picture
  firstspike train --curves curves.csv --plot curves.svg";

pub const SWEEP: &str = "\
Examples:
  # all rows and seeds of the file, four at a time, into the folder mine/
  firstspike sweep mine.toml --jobs 4
  # how far each is
  firstspike sweep mine.toml --list
  # on the workers of a HyperQueue
  firstspike sweep mine.toml --engine hq";

pub const EVAL: &str = "\
Examples:
  # by the golden reference, on the data that the model was trained for
  firstspike eval digits.fsp
  # clock cycles on a board's core
  firstspike eval digits.fsp --on model --board ulx3s-25f
  # the answer to each image, as NumPy arrays
  firstspike eval digits.fsp --out answers.npz
  # the board at a port, every answer compared
  firstspike eval digits.fsp --on /dev/ttyUSB1 --limit 100";

pub const REPORT: &str = "\
Examples:
  # writes digits.html, to be opened in a browser
  firstspike report digits.fsp
  # with test image 7 spike by spike
  firstspike report digits.fsp --image 7 --out seven.html";

pub const BOARDS: &str = "\
Examples:
  firstspike boards
  firstspike boards icebreaker";

pub const GENERATE: &str = "\
Examples:
  firstspike generate --board icebreaker --out core.v
  # a smaller core, to standard output
  firstspike generate --board icebreaker --lanes 16 --banks 1";

pub const BUILD: &str = "\
Examples:
  # into build/icebreaker
  firstspike build --board icebreaker
  # and into the board that is plugged in
  firstspike build --board icebreaker --flash
  # Verilog of your own, with the board's pins and clock
  firstspike build --board icebreaker --verilog blink.v --top blink";

pub const EXPLORE: &str = "\
Examples:
  # which cores run a network of these sizes, and how fast
  firstspike explore --board ulx3s-25f --network 784,600,10
  # exactly, for a model; a board file with the best core
  firstspike explore --board ulx3s-25f --model digits.fsp --save mine.toml
  # the efficient ones for real, by the tools, and a picture
  firstspike explore --board icebreaker --network 64,128,10 --measure --out cores.svg";

pub const BOARD: &str = "\
Examples:
  # at once, as software; it prints its port, and Ctrl-C switches it off (with exit status 0)
  firstspike board --board icebreaker --sim model
  # the Verilog, behind a port with a name that stays
  firstspike board --board icebreaker --sim rtl --link ./board0";

pub const DEPLOY: &str = "\
Examples:
  firstspike deploy digits.fsp --port /dev/ttyUSB1
  # only if that is an iCEBreaker
  firstspike deploy digits.fsp --port /dev/ttyUSB1 --board icebreaker";

pub const INFER: &str = "\
Examples:
  # a picture, and what the network sees of it
  firstspike infer shapes.fsp --port ./board0 photo.jpg --show
  # images without labels
  firstspike infer shapes.fsp --port ./board0 --npz unknown.npz
  # the first 20 test images of a data set
  firstspike infer digits.fsp --port ./board0 --dataset digits --limit 20";

pub const BENCH: &str = "\
Examples:
  firstspike bench digits.fsp --port /dev/ttyUSB1
  # a network that fills the board
  firstspike bench --random --port /dev/ttyUSB1 --count 5000";

pub const DOCTOR: &str = "\
Examples:
  firstspike doctor
  firstspike doctor --json";

pub const COMPLETIONS: &str = "\
Examples:
  # bash, from the next shell on
  firstspike completions bash > ~/.local/share/bash-completion/completions/firstspike
  # zsh: into a folder of its $fpath
  firstspike completions zsh > ~/.zfunc/_firstspike
  # fish
  firstspike completions fish > ~/.config/fish/completions/firstspike.fish";
