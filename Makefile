# `make` alone lists the targets. Everything needs only Rust, Python 3 and a C++ compiler to begin with:
# `make tools` gets the rest into .tools/ (and Verilator from the distribution).

CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help tools build boards demo results test tests bench fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools: ## Install Verilator, Yosys, nextpnr, icepack and ecppack (fast when they are there)
	@tools/install.sh

build: ## Build the command `firstspike` into target/release (or where cargo is told to build)
	$(CARGO) build --release --locked --package firstspike
	@tools/program.sh --say

boards: tools build ## Build the bitstream of every board into build/BOARD; goes on where it was interrupted
	"$$(tools/program.sh)" build --board all

demo: tools build ## Train, build for a board, simulate it, deploy and compare: the whole way, on digits
	@tools/demo.sh

results: build ## Run everything behind the tables in docs/results (hours) and write them again; goes on where it was stopped
	@tools/results.sh

test: ## Check the formatting, the lints and run all tests
	@tools/install.sh tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) test --locked --workspace

# As people type it, too.
tests: test

bench: tools ## Run the benchmarks
	$(CARGO) bench --locked --workspace

fmt: ## Format the sources
	$(CARGO) fmt --all

clean: ## Remove what was built; the tools in .tools/ stay
	$(CARGO) clean
	rm -rf build
