#!/usr/bin/env bash
# Other people's clients of AWS IoT Core, unmodified, against `skep cloud`: mosquitto's,
# curl, and from npm AWS's three SDKs and mqtt.js. It needs node and npm, mosquitto-clients and
# curl, which it installs on Debian if they are missing, and the npm registry. Each check
# prints a line.
#
#   bash .ci/awsclients.sh
#
# Endpoint names are AWS's: each client is told by an option of its own where they lead.
set -u
cd "$(dirname "$0")/.."

packages=(aws-iot-device-sdk@2.2.16 aws-iot-device-sdk-v2@1.28.0 @aws-sdk/client-iot-data-plane@3.1138.0 @aws-sdk/client-iot-jobs-data-plane@3.956.0 mqtt@5.10.1)
endpoint=skep0123456789-ats.iot.us-east-1.amazonaws.com

say() { printf 'aws-clients: %s\n' "$*"; }

need() {
	local missing=()
	command -v mosquitto_pub >/dev/null || missing+=(mosquitto-clients)
	command -v curl >/dev/null || missing+=(curl)
	command -v openssl >/dev/null || missing+=(openssl)
	command -v npm >/dev/null || missing+=(nodejs npm)
	[ ${#missing[@]} -eq 0 ] && return 0
	if ! command -v apt-get >/dev/null; then
		say "cannot test: install ${missing[*]}"
		return 1
	fi
	local sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -q && $sudo apt-get install -qy --no-install-recommends "${missing[@]}" && return 0
	say "cannot test: ${missing[*]} could not be installed"
	return 1
}

need || exit 1
work=$(mktemp -d) || exit 1
cloud=
finish() {
	[ -z "$cloud" ] || kill "$cloud" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

go build -o "$work/skep" ./cmd/skep || exit 1
npm install --no-save --no-audit --no-fund --silent --prefix "$work" "${packages[@]}" >/dev/null 2>"$work/npm.log" || {
	say "cannot test: ${packages[*]} could not be fetched; is the npm registry in reach?"
	tail -n 3 "$work/npm.log"
	exit 1
}
say "node $(node --version), ${packages[*]}, $(mosquitto_pub --version 2>&1 | head -n 1), $(curl --version | head -n 1 | cut -d' ' -f1,2), $(openssl version | cut -d' ' -f1,2)"

# The cloud, on free ports, with two things and a key.
skep() { "$work/skep" "$@" --state "$work/state"; }
skep cloud init "$work/cert" --thing thing0 >/dev/null 2>"$work/init.log" &&
	skep cloud credentials create --policy skep-open --json >"$work/key.json" 2>>"$work/init.log" || {
	say "FAILED: the cloud could not be prepared"
	cat "$work/init.log"
	exit 1
}
read -r mqtt https tls < <(node -e '
	const free = [1, 2, 3].map(() => require("net").createServer().listen(0, "127.0.0.1"))
	Promise.all(free.map((s) => new Promise((ok) => s.on("listening", ok)))).then(() => {
		console.log(free.map((s) => s.address().port).join(" "))
		free.map((s) => s.close())
	})')
"$work/skep" cloud --state "$work/state" --mqtt "$mqtt" --https "$https" --port-443 "$tls" 2>"$work/cloud.log" &
cloud=$!
for ((i = 0; i < 600; i++)); do
	grep -q 'Ctrl-C ends it' "$work/cloud.log" && break
	kill -0 "$cloud" 2>/dev/null || break
	sleep 0.1
done

# Jobs for the SDKs to do.
echo '{"operation":"ci"}' >"$work/job.json"
for n in 1 2 3 4; do
	skep cloud job create "ci-$n" --document "$work/job.json" --target thing0 >/dev/null 2>>"$work/init.log" || {
		say "FAILED: job ci-$n could not be made"
		cat "$work/init.log"
		exit 1
	}
done

failures=0
checks=0
# check NAME COMMAND... says whether a command ends well.
check() {
	local name=$1
	shift
	checks=$((checks + 1))
	if "$@" >"$work/out" 2>&1; then
		say "ok: $name"
	else
		say "FAILED: $name"
		tail -n 20 "$work/out"
		failures=$((failures + 1))
	fi
}

# mosquitto: it looks names up itself, so the name is localhost.
mq() {
	local program=$1
	shift
	stdbuf -oL timeout 60 "mosquitto_$program" -h localhost -p "$mqtt" --cafile "$work/cert/aws.ca" --cert "$work/cert/aws.crt" --key "$work/cert/aws.key" "$@"
}

# through VERSION QOS OPTIONS...: a message to somebody who has subscribed.
through() {
	local version=$1 qos=$2
	shift 2
	: >"$work/sub"
	# -d says when the subscription stands.
	mq sub -V "$version" -i "sub-$version" -q "$qos" -t "mosquitto/$version" -C 1 -W 60 -d >"$work/sub" 2>&1 &
	local sub=$!
	for ((i = 0; i < 600; i++)); do
		grep -q 'Subscribed' "$work/sub" && break
		kill -0 "$sub" 2>/dev/null || break
		sleep 0.1
	done
	mq pub -V "$version" -i "pub-$version" -q "$qos" -t "mosquitto/$version" -m "hello $version" "$@" || return 1
	wait "$sub" && grep -q "hello $version" "$work/sub" || {
		cat "$work/sub"
		return 1
	}
}

kept() {
	mq pub -V "$1" -i "pub-$1" -q 1 -r -t "kept/$1" -m "kept $1" && [ "$(mq sub -V "$1" -i "sub-$1" -t "kept/$1" -C 1 -W 60)" = "kept $1" ]
}

# refused COMMAND... must fail, and the cloud must say why: the last argument.
refused() {
	local why=${!#}
	set -- "${@:1:$#-1}"
	"$@" && return 1
	for ((i = 0; i < 300; i++)); do
		grep -q -- "$why" "$work/cloud.log" && return 0
		sleep 0.1
	done
	echo "the cloud's log does not say: $why"
	return 1
}

check "mosquitto 3.1.1, QoS 0" through mqttv311 0
check "mosquitto 3.1.1, QoS 1" through mqttv311 1
check "mosquitto 3.1.1, retained" kept mqttv311
check "mosquitto 5, QoS 0" through mqttv5 0
check "mosquitto 5, QoS 1, with properties" through mqttv5 1 -D publish user-property name value -D publish content-type text/plain
check "mosquitto 5, retained" kept mqttv5
check "mosquitto 3.1 is refused" refused mq pub -V mqttv31 -i old -t a -m b "MQIsdp"
check "mosquitto without a certificate is refused" refused timeout 60 mosquitto_pub -h localhost -p "$mqtt" --cafile "$work/cert/aws.ca" -t a -m b "has no certificate and key configured"
check "mosquitto, QoS 2 is refused" refused mq pub -V mqttv311 -i two -q 2 -t a -m b "QoS 2"

# web STATUS PATTERN ARGUMENTS...: curl gets this status and an answer like this.
web() {
	local status=$1 pattern=$2 got
	shift 2
	got=$(curl -sS -i --max-time 60 --resolve "$endpoint:$https:127.0.0.1" --resolve "$endpoint:$tls:127.0.0.1" --cacert "$work/cert/aws.ca" "$@") || return 1
	grep -q "^HTTP/1.1 $status " <<<"$got" && grep -Eq -- "$pattern" <<<"$got" && return 0
	echo "$got"
	return 1
}
device() { web "$1" "$2" --cert "$work/cert/aws.crt" --key "$work/cert/aws.key" "https://$endpoint:$https$3" "${@:4}"; }
key=$(node -p 'JSON.parse(require("fs").readFileSync(0)).accessKeyId' <"$work/key.json"):$(node -p 'JSON.parse(require("fs").readFileSync(0)).secretAccessKey' <"$work/key.json")
signed() { web "$1" "$2" --aws-sigv4 aws:amz:us-east-1:iotdata --user "$4" "https://$endpoint:$tls$3" "${@:5}"; }

check "curl, no shadow" device 404 "^x-amzn-ErrorType: ResourceNotFoundException" /things/curl/shadow
check "curl, update" device 200 '"version":1' /things/curl/shadow -d '{"state":{"desired":{"a":1}}}'
check "curl, get with HTTP/1.0" device 200 '"delta":\{"a":1\}' /things/curl/shadow --http1.0
check "curl, publish" device 200 '"message":"OK"' '/topics/a%2Fb?qos=1' -d hello
check "curl, signed" signed 200 '"version":1' /things/curl/shadow "$key"
check "curl, wrongly signed" signed 403 '^x-amzn-ErrorType: ForbiddenException' /things/curl/shadow "${key}x"
check "curl, unsigned" web 403 '"message":"Forbidden"' "https://$endpoint:$tls/things/curl/shadow"

# renegotiate asks for another handshake within the connection, which must not be had.
renegotiate() {
	(
		sleep 1
		echo R
		sleep 1
	) | timeout 60 openssl s_client -connect "127.0.0.1:$1" -servername "$endpoint" -tls1_2 -CAfile "$work/cert/aws.ca" -cert "$work/cert/aws.crt" -key "$work/cert/aws.key" >"$work/reneg" 2>&1
	cat "$work/reneg"
	grep -q RENEGOTIATING "$work/reneg" && grep -Eqi 'no renegotiation|unexpected message|alert' "$work/reneg"
}
for port in "$mqtt" "$https" "$tls"; do
	check "openssl, renegotiation on port $port is refused" renegotiate "$port"
done

ENDPOINT=$endpoint MQTT=$mqtt HTTPS=$https TLS=$tls CERT=$work/cert KEY=$work/key.json NODE_NO_WARNINGS=1 node .ci/awsclients.cjs "$work" || failures=$((failures + 1))

if [ "$failures" -gt 0 ]; then
	say "what the cloud said last:"
	tail -n 20 "$work/cloud.log"
fi
kill "$cloud"
wait "$cloud"
status=$?
cloud=
check "the cloud ends in good order" [ "$status" -eq 0 ]
! grep -E 'panic|goroutine [0-9]' "$work/cloud.log" || failures=$((failures + 1))
say "$checks checks here, $failures failed"
[ "$failures" -eq 0 ]
