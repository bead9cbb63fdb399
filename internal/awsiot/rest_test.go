package awsiot

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestREST plays requests over HTTPS; want is a pattern of status, then body.
func TestREST(t *testing.T) {
	c := newCloud(t, nil)
	watch, err := c.Watch("#")
	must(t, err)
	defer watch.Close()
	shadowTopics, err := c.Watch("$aws/things/T/shadow/+/+")
	must(t, err)
	defer shadowTopics.Close()
	post := func(path, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	get := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n" }
	message := func(kind, m string) string {
		return kind + `.*\{"message":"` + m + `","traceId":"[0-9a-f-]{36}"\}`
	}
	for _, tt := range []struct{ name, request, want string }{
		{"no shadow", get("/things/T/shadow"), "404 Not Found" + message(".*x-amzn-ErrorType: ResourceNotFoundException", "No shadow exists with name: 'T'")},
		{"update", post("/things/T/shadow", `{"state":{"desired":{"a":1}}}`), `200 OK.*\{"state":\{"desired":\{"a":1\}\},"metadata":.*"version":1,"timestamp":\d+\}`},
		{"get", get("/things/T/shadow"), `200 OK.*\{"state":\{"desired":\{"a":1\},"delta":\{"a":1\}\},.*"version":1,"timestamp":\d+\}`},
		{"head", "HEAD /things/T/shadow HTTP/1.0\r\n\r\n", `200 OK.*content-length: 1\d\d\r\n.*\r\n\r\n`},
		{"conflict", post("/things/T/shadow", `{"state":{"desired":{"a":1}},"version":9}`), "409 Conflict" + message(".*ConflictException", "Version conflict")},
		{"invalid", post("/things/T/shadow", `{`), "400 Bad Request" + message(".*InvalidRequestException", "Invalid JSON")},
		{"too large", post("/things/T/shadow", `{"state":{"desired":{"a":"`+strings.Repeat("x", 9000)+`"}}}`), "413 Request Entity Too Large" + message(".*RequestEntityTooLargeException", "The payload exceeds the maximum size allowed")},
		{"encoding", post("/things/T/shadow", "\"\xff\""), "415 Unsupported Media Type" + message(".*UnsupportedDocumentEncodingException", "Unsupported documented encoding; supported encoding is UTF-8")},
		{"named", post("/things/T/shadow?name=cfg", `{"state":{"reported":{"b":2}}}`), `200 OK.*"version":1,.*`},
		{"named get", get("/things/T/shadow?name=cfg"), `200 OK.*"reported":\{"b":2\}.*`},
		{"named none", get("/things/T/shadow?name=x"), "404 Not Found" + message(".*", "No shadow exists with name: 'T~x'")},
		{"another named", post("/things/T/shadow?name=zz", `{"state":{"reported":{"b":2}}}`), `200 OK.*`},
		{"list", get("/api/things/shadow/ListNamedShadowsForThing/T"), `200 OK.*\{"results":\["cfg","zz"\],"timestamp":\d+\}`},
		{"list page", get("/api/things/shadow/ListNamedShadowsForThing/T?pageSize=1"), `200 OK.*\{"results":\["cfg"\],"nextToken":"Y2Zn","timestamp":\d+\}`},
		{"list next", get("/api/things/shadow/ListNamedShadowsForThing/T?pageSize=1&nextToken=Y2Zn"), `200 OK.*\{"results":\["zz"\],"timestamp":\d+\}`},
		{"list unknown", get("/api/things/shadow/ListNamedShadowsForThing/U"), `200 OK.*\{"results":\[\],"timestamp":\d+\}`},
		{"list bad page", get("/api/things/shadow/ListNamedShadowsForThing/T?pageSize=0"), `400 Bad Request.*`},
		{"delete", "DELETE /things/T/shadow HTTP/1.1\r\nHost: h\r\n\r\n", `200 OK.*\{"version":1,"timestamp":\d+\}`},
		{"put", "PUT /things/T/shadow HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "405 Method Not Allowed" + message(".*MethodNotAllowedException", "Method not allowed")},
		{"no path", get("/nothing"), "404 Not Found" + message(".*", "Not Found")},
		{"bad thing", get("/things/a%20b/shadow"), "400 Bad Request.*"},
		{"publish", post("/topics/a/b%20c?qos=1", "hello"), "200 OK" + message(".*", "OK")},
		{"publish retained", post("/topics/r?qos=0&retain=true", "kept"), "200 OK.*"},
		{"publish chunked", "POST /topics/ch HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "200 OK.*"},
		{"publish qos 2", post("/topics/a?qos=2", "x"), "400 Bad Request.*Invalid qos.*"},
		{"publish wildcard", post("/topics/a/%2B", "x"), "400 Bad Request.*Invalid topic.*"},
		{"publish bad expiry", post("/topics/a?messageExpiry=x", "x"), "400 Bad Request.*Invalid messageExpiry.*"},
		{"publish bad response topic", post("/topics/a?responseTopic=a%2F%23", "x"), "400 Bad Request.*Invalid responseTopic.*"},
		{"publish get", get("/topics/a"), "405 Method Not Allowed.*"},
		{"publish 128 KB + 1", post("/topics/a", strings.Repeat("x", 128<<10+1)), "413 Request Entity Too Large.*connection: close.*"},
		{"publish a request", post("/topics/$aws/things/T/shadow/get", ""), "200 OK.*"},
		{"long header", "GET / HTTP/1.1\r\nX: " + strings.Repeat("y", 20000) + "\r\n\r\n", "400 Bad Request.*longer than 16384.*"},
		{"not http", "\x16\x03\x01 nonsense\r\n\r\n", "400 Bad Request.*"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc, err := tls.Dial("tcp", c.https, c.tlsConfig(0))
			must(t, err)
			defer nc.Close()
			must(t, nc.SetDeadline(time.Now().Add(patience)))
			go nc.Write([]byte(tt.request))
			var got string
			if r := bufio.NewReader(nc); tt.name == "head" {
				buf := make([]byte, 1000)
				n, err := r.Read(buf)
				must(t, err)
				got = string(buf[:n])
			} else {
				got = readAnswer(t, r)
			}
			if !regexp.MustCompile("(?s)^HTTP/1.1 " + tt.want + "$").MatchString(got) {
				t.Fatalf("answer is\n%.600s\nwant %s", got, tt.want)
			}
		})
	}
	expect := func(w *Watcher, want ...string) {
		t.Helper()
		for _, s := range want {
			select {
			case m := <-w.C():
				if got := m.Topic + " " + string(m.Payload); !strings.HasPrefix(got, s) {
					t.Fatalf("message %q, want %q", got, s)
				}
			case <-time.After(patience):
				t.Fatalf("no message; want %q", s)
			}
		}
	}
	expect(watch, "a/b c hello", "r kept", "ch abcde")
	if m, ok := c.broker.Retained("r"); !ok || string(m.Payload) != "kept" {
		t.Fatalf("retained: %v", m)
	}
	// Updates over HTTPS are told over MQTT too; refusals are not.
	const base = "$aws/things/T/shadow/"
	expect(shadowTopics, base+"update/accepted", base+"update/delta", base+"update/documents", base+"delete/accepted", base+"get/rejected")
	c.said("refused", "POST /topics/a/+: 400", "wildcard")
}

// TestRESTPolicy: the shadow actions are asked for over HTTPS, and nobody is told why not.
func TestRESTPolicy(t *testing.T) {
	c := newCloud(t, nil)
	must(t, c.store.PutPolicy("read", []byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iot:GetThingShadow","iot:Publish"],"Resource":["arn:aws:iot:us-east-1:123456789012:thing/T","arn:aws:iot:us-east-1:123456789012:topic/ok"]}]}`)))
	c.addDevice(1, "T", "read")
	for _, tt := range []struct{ request, want, says string }{
		{"GET /things/T/shadow HTTP/1.0\r\n\r\n", "404", ""},
		{"GET /things/U/shadow HTTP/1.0\r\n\r\n", "403", "iot:GetThingShadow on thing/U: no statement allows it"},
		{"GET /things/T/shadow?name=n HTTP/1.0\r\n\r\n", "403", "iot:GetThingShadow on thing/T/n"},
		{"POST /things/T/shadow HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", "403", "iot:UpdateThingShadow on thing/T"},
		{"DELETE /things/T/shadow HTTP/1.0\r\n\r\n", "403", "iot:DeleteThingShadow on thing/T"},
		{"GET /api/things/shadow/ListNamedShadowsForThing/T HTTP/1.0\r\n\r\n", "403", "iot:ListNamedShadowsForThing on thing/T"},
		{"POST /topics/ok HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "200", ""},
		{"POST /topics/ok?retain=true HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "403", "iot:RetainPublish on topic/ok"},
		{"POST /topics/no HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "403", "iot:Publish on topic/no"},
	} {
		got := c.request(1, tt.request)
		if !strings.HasPrefix(got, "HTTP/1.1 "+tt.want) {
			t.Errorf("%q:\n%s", tt.request, got)
		}
		if tt.want == "403" {
			c.said("refused", tt.says)
			if !strings.Contains(got, `"message":"Forbidden"`) || strings.Contains(got, "statement") {
				t.Errorf("%q:\n%s", tt.request, got)
			}
		}
	}
	cert := *c.store.Certificate(testDevice(t, 1).ID)
	cert.Active = false
	nc, err := tls.Dial("tcp", c.https, c.tlsConfig(1))
	must(t, err)
	defer nc.Close()
	must(t, c.store.PutCertificate(cert))
	_, err = nc.Write([]byte("GET /things/T/shadow HTTP/1.1\r\nHost: h\r\n\r\n"))
	must(t, err)
	if got := readAnswer(t, bufio.NewReader(nc)); !strings.HasPrefix(got, "HTTP/1.1 403") {
		t.Errorf("a deactivated certificate gets\n%s", got)
	}
}

// TestPlainTCP: a plain TCP client is told apart in the log.
func TestPlainTCP(t *testing.T) {
	c := newCloud(t, nil)
	for _, addr := range []string{c.mqtt, c.https} {
		nc, err := net.Dial("tcp", addr)
		must(t, err)
		_, err = nc.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
		must(t, err)
		c.said("refused", "the client speaks without TLS", nc.LocalAddr().String())
		nc.Close()
	}
}
