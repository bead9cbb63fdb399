package rest

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/jobs"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/shadows"
)

// noShadows answers like a service in which nothing is stored.
type noShadows struct{}

func (noShadows) Update(_ shadow.Key, _ []byte, f func(shadows.Answer)) {
	f(shadows.Answer{Payload: []byte("{}")})
}
func (noShadows) Get(_ shadow.Key, _ []byte, f func(shadows.Answer)) {
	_, refusal := shadow.DefaultLimits().Get(nil, "T", nil, time.Unix(0, 0))
	f(shadows.Answer{Refused: refusal})
}
func (noShadows) Delete(_ shadow.Key, _ []byte, f func(shadows.Answer)) {
	f(shadows.Answer{Refused: shadow.Internal()})
}
func (noShadows) Names(string) ([]string, error) { return nil, nil }

// noBroker has no clients and takes every message.
type noBroker struct{}

func (noBroker) PublishRule(string, bool) string                             { return "" }
func (noBroker) PublishFor(broker.Message) error                             { return nil }
func (noBroker) RetainedAt(string) (m broker.Message, at time.Time, ok bool) { return }
func (noBroker) RetainedTopics() []string                                    { return []string{"a", "b"} }
func (noBroker) Connection(string) (broker.Connection, bool)                 { return broker.Connection{}, false }
func (noBroker) Subscriptions(string) ([]broker.Subscription, bool)          { return nil, true }
func (noBroker) Disconnect(string, bool, bool, string) bool                  { return true }
func (noBroker) SendTo(_ string, m broker.Message) bool                      { return m.QoS == 0 }

// noJobs has none.
type noJobs struct{}

func (noJobs) Pending(string) jobs.Answer { return jobs.Answer{Status: 200, Body: []byte("{}")} }
func (noJobs) StartNext(string, []byte) jobs.Answer {
	return jobs.Answer{Status: 200, Body: []byte("{}")}
}
func (noJobs) DescribeExecution(string, string, url.Values) jobs.Answer {
	return jobs.Answer{Status: 404, Exception: "ResourceNotFoundException"}
}
func (noJobs) UpdateExecution(string, string, []byte) jobs.Answer {
	return jobs.Answer{Status: 404, Exception: "ResourceNotFoundException"}
}

func newServer(c clock.Clock) *Server {
	return New(Config{
		Jobs:  noJobs{},
		Clock: c, Rand: rand.Reader, Limits: DefaultLimits(), Shadows: noShadows{},
		Broker: noBroker{}, Thing: func(string, string) string { return "" },
	})
}

var allow = func() *policy.Compiled {
	doc, err := policy.Parse("open", []byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil {
		panic(err)
	}
	return policy.Compile([]*policy.Document{doc}, &policy.Vars{})
}()

func serve(s *Server) (client net.Conn, done chan struct{}) {
	client, server := net.Pipe()
	done = make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(server, func() (Peer, error) {
			return Peer{CertID: "c", Authorize: func(*http.Request, []byte) (string, *policy.Compiled, error) { return "c", allow, nil }}, nil
		})
	}()
	return client, done
}

// TestIdle: a connection without a request ends, at first and between requests.
func TestIdle(t *testing.T) {
	c := clock.NewManual(time.Unix(1700000000, 0))
	s := newServer(c)
	client, done := serve(s)
	client.Write([]byte("GET /things/T/sh")) // and no more
	c.Advance(11 * time.Second)
	<-done
	client, done = serve(s)
	client.Write([]byte("GET /things/T/shadow HTTP/1.1\r\nHost: h\r\n\r\n"))
	buf := make([]byte, 2000)
	if n, err := client.Read(buf); err != nil || !bytes.HasPrefix(buf[:n], []byte("HTTP/1.1 404")) {
		t.Fatalf("%s %v", buf[:n], err)
	}
	for alive := true; alive; {
		select {
		case <-done:
			alive = false
		case <-time.After(5 * time.Millisecond):
			c.Advance(61 * time.Second)
		}
	}
	client, done = serve(s)
	go io.Copy(io.Discard, client)
	s.Close()
	<-done
	_, done = serve(s)
	<-done
}

// FuzzServe sends anything at all.
func FuzzServe(f *testing.F) {
	f.Add([]byte("GET /things/T/shadow HTTP/1.0\r\nHost: x\r\n\r\n"))
	f.Add([]byte("POST /topics/a%2fb?qos=1&retain=TRUE HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Add([]byte("POST /things/T/shadow?name=n HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n\r\n"))
	f.Add([]byte("GET /api/things/shadow/ListNamedShadowsForThing/T?pageSize=1&nextToken=%00 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n"))
	f.Add([]byte("POST /connections/c/messages?topic=t&confirmation=true&timeout=15 HTTP/1.1\r\nHost: h\r\nx-amz-mqtt5-user-properties: W3siYSI6ImIifV0=\r\nx-amz-mqtt5-correlation-data: QQ==\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte("GET /retainedMessage?maxResults=1&nextToken=YQ HTTP/1.1\r\nHost: h\r\n\r\nDELETE /connections/%24c?cleanSession=TRUE HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		client, done := serve(newServer(clock.NewManual(time.Unix(1700000000, 0))))
		var answer bytes.Buffer
		read := make(chan struct{})
		go func() {
			defer close(read)
			io.Copy(&answer, client)
		}()
		client.Write(data)
		client.Close()
		<-done
		<-read
		if b := answer.Bytes(); len(b) > 0 && !bytes.HasPrefix(b, []byte("HTTP/1.1 ")) {
			t.Fatalf("answer begins %.60q", b)
		}
	})
}
