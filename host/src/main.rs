use firstspike::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::start()
}
