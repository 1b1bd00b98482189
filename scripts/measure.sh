#!/usr/bin/env bash
# Measures whole inferences with the real models of a data folder (docs/data.md):
# compiles them, runs dorcas bench several times in turn and prints the medians.
# Nothing else should run on the machine.
#
#	scripts/measure.sh DATA [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
data=$1 rounds=${2:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/dorcas" ./cmd/dorcas
echo "# $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | xargs), family $(grep -m1 'cpu family' /proc/cpuinfo | grep -o '[0-9]*$'), $(nproc) cores; $(date -u +%F); commit $(git rev-parse --short HEAD); $(go version | cut -d' ' -f3)"
compile() { # NAME, file, samples
	"$work/dorcas" compile -q --no-report "$data/models/gazelle/$2.onnx" --preprocess "$data/models/gazelle/$2.json" \
		--samples "$data/samples/$3/x_u8.npy" --labels "$data/samples/$3/y.npy" --limit 200 -o "$work/$1.dorcas" >"$work/log" || { cat "$work/log"; exit 1; }
}
compile A mnist_secure_ml mnist
compile B mnist_cryptonets mnist
compile C mnist_deepsecure mnist
compile D mnist_minionn mnist
compile CIFAR-10 cifar10_minionn cifar10-jpg
run() { # title, model, arguments of bench
	local title=$1 model=$2 i
	shift 2
	for i in $(seq "$rounds"); do
		"$work/dorcas" bench --model "$work/$model.dorcas" --json -q "$@" | tr -d ' \n' >"$work/$i.json"
		printf '%s round %d: ' "$title" "$i"
		cat "$work/$i.json"
		echo
	done
}
for model in A B C D; do run "$model" "$model" --n 20; done
run CIFAR-10 CIFAR-10 --n 5
run "A, batch 8" A --n 8 --batch 8
run "C, batch 8" C --n 8 --batch 8
run "D, 100mbit,40ms" D --n 5 --link 100mbit,40ms
run "CIFAR-10, 100mbit,40ms" CIFAR-10 --n 1 --link 100mbit,40ms
for method in softspoken2 softspoken4 softspoken8 silent10 silent11; do
	run "D by $method" D --n 10 --transfers "$method"
done
for clients in 1 2 4 8 16 32 64; do run "D, $clients clients" D --n 6 --clients "$clients"; done
