# Pyrite's commands. `make testnet` and `make test` are the two to know; both set up what they need.

# ccache answers to the compilers' own names, so that make and plain cargo share one build.
export PATH := /usr/lib/ccache:$(PATH)

CARGO ?= cargo
PYTHON ?= python3
# The tests of Rust's client libraries, a workspace of their own.
CLIENTS := node/cli/tests/clients/rust/Cargo.toml
# Where `make testnet` keeps its network.
DIR ?= pyrite-testnet
NODES ?= 3
# How long `make fuzz` runs each target.
FUZZ_SECONDS ?= 60
# How often `make kills` kills a node.
KILLS ?= 1000
# How many random operations `make model` does with the mempool.
OPERATIONS ?= 100000
# How many nonces `make gpu-compare` compares; 4294967296 is all.
NONCES ?= 4294967296
# How many script executions `make differential` compares.
COUNT ?= 10000000

.PHONY: help testnet build test arm fuzz kills model gpu-compare differential check lint unit clients deny audit bench setup

help:
	@echo "make testnet   build, then run a private network of $(NODES) nodes in $(DIR) (Ctrl-C stops it)"
	@echo "make test      everything that must hold: format, lints, layers, docs, policy, all tests"
	@echo "make check     the same without the tests"
	@echo "make clients   client libraries from PyPI, npm and crates.io against a node"
	@echo "make fuzz      every fuzz target for $(FUZZ_SECONDS) seconds (FUZZ_SECONDS=600 for more)"
	@echo "make kills     a node killed KILLS=$(KILLS) times at random instants under load"
	@echo "make model     the mempool against a slow model, OPERATIONS=$(OPERATIONS) random operations"
	@echo "make gpu-compare  an OpenCL device against the processor, on NONCES=$(NONCES) nonces"
	@echo "make arm       the processor kernels of ARMv8, run by qemu where it is installed"
	@echo "make bench     the benchmarks"
	@echo "make differential  the script engine against Bitcoin Core's on COUNT=$(COUNT) random executions"
	@echo "make setup     install what the build needs (g++, make, libclang-dev, ccache, python3-venv, PoCL)"
	@echo "make audit     the dependencies against the advisory database (needs the network)"

setup:
	@.ci/setup

build: setup
	$(CARGO) build --release --locked --bin pyrite

testnet: build
	target/release/pyrite testnet up --nodes $(NODES) --dir $(DIR)

test: check unit clients arm

# Tests and program share the release profile, so that RocksDB is built once.
unit: setup
	$(CARGO) test --release --locked --workspace --all-targets
	$(CARGO) test --release --locked --workspace --doc

# The processor kernels of ARMv8, by qemu; skipped where there is none.
arm:
	@.ci/arm

# Fuzz targets are tests whose names begin with fuzz_; among the other tests each runs for a second.
fuzz: setup
	BOLERO_RANDOM_TEST_TIME_MS=$(FUZZ_SECONDS)000 \
		$(CARGO) test --release --locked --workspace --lib --bins --tests -- fuzz_ --nocapture

# PYRITE_KILL_SEED repeats what was asked of the node, though not the instants.
kills: setup
	PYRITE_KILLS=$(KILLS) $(CARGO) test --release --locked --workspace --test pyrite -- kills --nocapture

model: setup
	PYRITE_MODEL_OPERATIONS=$(OPERATIONS) $(CARGO) test --release --locked --workspace --lib -- chain_tests::model --nocapture

gpu-compare: setup
	PYRITE_GPU_NONCES=$(NONCES) $(CARGO) test --release --locked --workspace --lib -- gpu::tests::agrees --nocapture

# Client libraries of bitcoind, unchanged, against nodes in drop-in mode.
clients: build
	CARGO="$(CARGO)" PYTHON="$(PYTHON)" .ci/clients target/release/pyrite

check: setup lint deny

lint: setup
	$(CARGO) fmt --all -- --check
	$(CARGO) fmt --manifest-path consensus/kernel/Cargo.toml -- --check
	$(CARGO) fmt --manifest-path $(CLIENTS) -- --check
	.ci/layers
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --manifest-path $(CLIENTS) --target-dir target/clients/rust --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps --quiet

# The policy on licences, sources and duplicates, in deny.toml.
deny: setup
	@command -v cargo-deny >/dev/null || { echo "deny: installing cargo-deny"; $(CARGO) install --locked --quiet cargo-deny; }
	@$(CARGO) fetch --locked --quiet # the crates of other systems, too: their licences count
	@$(CARGO) fetch --locked --quiet --manifest-path $(CLIENTS)
	$(CARGO) deny --locked --offline check bans licenses sources
	$(CARGO) deny --locked --offline --manifest-path $(CLIENTS) check bans licenses sources

audit: setup
	$(CARGO) deny --locked check advisories

bench: setup
	$(CARGO) bench --workspace

# Bitcoin Core's engine is built with CMake and Boost's headers, apart from everything else.
differential:
	@.ci/setup cmake libboost-dev
	cd consensus/kernel && $(CARGO) run --release --locked -- --count $(COUNT)
