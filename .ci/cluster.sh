#!/usr/bin/env bash
# Several skep cloud processes as one endpoint, with real NATS servers: the tests that
# kill nodes and servers, and the guide for three nodes, command by command. It
# installs the NATS server of the version below into a folder of its own.
set -eu
cd "$(dirname "$0")/.."

version=v2.15.2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
GOBIN=$dir go install "github.com/nats-io/nats-server/v2@$version"
"$dir/nats-server" --version
SKEP_NATS_SERVER=$dir/nats-server go test -count=1 -v -run 'TestCluster|TestGuides/three-nodes' ./cmd/skep
