# What people and CI type. Go is all it needs; staticcheck and govulncheck are
# run at pinned versions through the module cache.

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.1
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0
RACE        := . ./internal/protocol ./internal/wire/... ./internal/serve ./internal/linear ./transport

.PHONY: all fmt lint vet test short purego race fuzz difftest bench bench-rivals bench-inference asm accuracy exact models search vuln demo model

all: fmt lint test

# fmt fails on what gofmt would change.
fmt:
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt -w these:"; echo "$$out"; exit 1; fi

vet:
	$(GO) vet ./...
	$(GO) vet -tags purego ./...
	GOARCH=arm64 $(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) vet ./nn ./internal/... .

lint: vet
	$(GO) run $(STATICCHECK) ./...

test:
	$(GO) test ./...

short:
	$(GO) test -short ./...

# purego tests the portable code where assembly would run.
purego:
	$(GO) test -short -tags purego ./internal/... ./nn .

race:
	$(GO) test -race -short $(RACE)

# fuzz runs every fuzz target on some thousand inputs; FUZZTIME=30s for longer.
fuzz:
	./scripts/fuzz.sh $(or $(FUZZTIME),2000x)

# difftest compares the float mode of nn with onnxruntime on random graphs of
# all operators. It needs npm, which installs onnxruntime's binary for node.
GRAPHS ?= 2000
difftest:
	@if ! command -v npm >/dev/null; then echo "difftest: npm is not installed; skipped"; exit 0; fi; \
	cd nn/onnx/difftest && \
	if ! { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci; }; then echo "difftest: onnxruntime cannot be installed here; skipped"; exit 0; fi && \
	$(GO) test -count 1 -v -timeout 30m -run Differential . -graphs $(GRAPHS)

bench:
	$(GO) test -run '^$$' -bench . ./internal/ring ./internal/rlwe ./internal/block ./internal/garble ./internal/ot ./internal/linear ./internal/protocol

# bench-rivals measures kernels beside those of other projects, all of them many
# times in turn and each time for a few milliseconds only: on a shared machine the
# least of each counts.
bench-rivals:
	cd bench && $(GO) test -mod=mod -c -o rivals.test . && \
	for i in $$(seq 40); do ./rivals.test -test.run '^$$' -test.bench . -test.benchtime 3ms || exit 1; done; rm -f rivals.test

# bench-inference measures whole inferences with the real models of DATA: see
# scripts/measure.sh, some minutes on a machine that does nothing else.
bench-inference:
	./scripts/measure.sh $(abspath $(DATA))

# asm generates the assembly again and fails if what is committed differs.
ASM := ./internal/block ./internal/garble ./internal/ot ./internal/ring ./nn
asm:
	$(GO) generate $(ASM)
	git diff --exit-code -- '*.s' '*_stubs_amd64.go'

# accuracy compares float and integer networks on MNIST's 10 000 test images.
# DATA is a folder of models, samples and data sets laid out as docs/data.md says.
accuracy:
	DORCAS_DATA=$(abspath $(DATA)) $(GO) test -count 1 -v -timeout 60m -run Accuracy ./internal/modeltest -full

# exact runs 20 private inferences of every model in DATA and compares every
# output integer with the clear network, and float with integer accuracy.
exact:
	DORCAS_DATA=$(abspath $(DATA)) $(GO) test -count 1 -v -timeout 120m -run Exact ./internal/modeltest -full

# models is exact, and writes what comes out to the table in docs/models.md;
# MODEL picks models by a part of their path, N other numbers of inferences.
models:
	DORCAS_DATA=$(abspath $(DATA)) $(GO) test -count 1 -v -timeout 240m -run Exact ./internal/modeltest -full \
		-model '$(MODEL)' -inferences $(or $(N),20) -table $(abspath docs/models.md)

# search looks for the cheapest widths of models within half a point of accuracy
# and writes what it finds to docs/models.md.
search:
	DORCAS_DATA=$(abspath $(DATA)) $(GO) test -count 1 -v -timeout 240m -run Search ./internal/modeltest -full \
		-model '$(MODEL)' -table $(abspath docs/models.md)

# vuln needs the vulnerability database; without it, it says so and passes.
vuln:
	@out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); code=$$?; \
	if [ $$code -ne 0 ] && echo "$$out" | grep -qiE 'fetching vulnerabilities: .*(dial|lookup|no such host|timeout|refused)'; then \
		echo "govulncheck: its database cannot be reached from here; skipped"; \
	else echo "$$out"; exit $$code; fi

demo:
	$(GO) run ./cmd/dorcas demo

# model compiles the embedded network again from its float file.
model:
	$(GO) generate ./cmd/dorcas
