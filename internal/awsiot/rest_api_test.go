package awsiot

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// call makes an HTTPS request with certificate 0 and gives status and body.
func (c *cloud) call(method, path, body string, header ...string) (status int, text string) {
	c.t.Helper()
	var more string
	if len(header) > 0 {
		more = strings.Join(header, "\r\n") + "\r\n"
	}
	got := c.request(0, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%s\r\n%s", method, path, len(body), more, body))
	head, text, _ := strings.Cut(got, "\r\n\r\n")
	if _, err := fmt.Sscanf(head, "HTTP/1.1 %d", &status); err != nil {
		c.t.Fatal(got)
	}
	return status, text
}

func (c *cloud) wants(status int, pattern string, gotStatus int, got string) {
	c.t.Helper()
	if gotStatus != status || !regexp.MustCompile("^"+pattern+"$").MatchString(got) {
		c.t.Errorf("%d %s\nwant %d %s", gotStatus, got, status, pattern)
	}
}

// TestPublishProperties: the query's and the headers' properties reach the message.
func TestPublishProperties(t *testing.T) {
	c := newCloud(t, nil)
	w, err := c.Watch("p")
	must(t, err)
	defer w.Close()
	status, text := c.call("POST", "/topics/p?qos=1&contentType=text%2Fplain&responseTopic=re%2Fply&messageExpiry=60", "hello",
		"x-amz-mqtt5-user-properties: W3siZGV2aWNlTmFtZSI6ImFscGhhIn0seyJkZXZpY2VDbnQiOiI0NSJ9XQ==",
		"x-amz-mqtt5-payload-format-indicator: UTF8_DATA",
		"x-amz-mqtt5-correlation-data: AAEC")
	c.wants(200, `{"message":"OK",.*`, status, text)
	m := <-w.C()
	want := &broker.Properties{
		HasFormat: true, Format: 1, HasExpiry: true, Expiry: 60, ContentType: "text/plain", ResponseTopic: "re/ply", Correlation: []byte{0, 1, 2},
		User: []broker.UserProperty{{Key: "deviceName", Value: "alpha"}, {Key: "deviceCnt", Value: "45"}},
	}
	if d := cmp.Diff(want, m.Properties); d != "" {
		t.Error(d)
	}
	if m.From == nil || m.From.CertID != testDevice(t, 0).ID || m.From.IP.String() != "127.0.0.1" {
		t.Errorf("from %+v", m.From)
	}
	for header, want := range map[string]string{
		"x-amz-mqtt5-user-properties: e30=":              "JSON array of objects",
		"x-amz-mqtt5-user-properties: W3siYSI6MX1d":      "JSON array of objects",
		"x-amz-mqtt5-user-properties: !":                 "it is base64",
		"x-amz-mqtt5-payload-format-indicator: utf8":     "UNSPECIFIED_BYTES or UTF8_DATA",
		"x-amz-mqtt5-correlation-data: not base64 at al": "it is base64",
	} {
		status, text := c.call("POST", "/topics/p", "x", header)
		c.wants(400, ".*"+want+".*", status, text)
	}
}

func TestRetainedAPI(t *testing.T) {
	c := newCloud(t, nil)
	for i := range 5 {
		status, text := c.call("POST", fmt.Sprintf("/topics/r%%2F%d?qos=%d&retain=true", i, i%2), strings.Repeat("x", i+1))
		c.wants(200, ".*OK.*", status, text)
	}
	type page struct {
		RetainedTopics []struct {
			Topic            string
			PayloadSize, QoS int
			LastModifiedTime int64
		}
		NextToken *string
	}
	var topics []string
	token, pages := "", 0
	for {
		status, text := c.call("GET", "/retainedMessage?maxResults=2"+token, "")
		if status != 200 {
			t.Fatal(text)
		}
		var p page
		must(t, json.Unmarshal([]byte(text), &p))
		pages++
		for _, r := range p.RetainedTopics {
			if r.PayloadSize != len(topics)+1 || r.QoS != len(topics)%2 || time.Since(time.UnixMilli(r.LastModifiedTime)) > time.Hour {
				t.Errorf("%+v", r)
			}
			topics = append(topics, r.Topic)
		}
		if p.NextToken == nil {
			break
		}
		token = "&nextToken=" + *p.NextToken
	}
	if got := strings.Join(topics, " "); got != "r/0 r/1 r/2 r/3 r/4" || pages != 3 {
		t.Errorf("%s in %d pages", got, pages)
	}
	status, text := c.call("GET", "/retainedMessage/", "")
	c.wants(200, `{"retainedTopics":\[{"topic":"r/0","payloadSize":1,"qos":0,"lastModifiedTime":\d{13}},.*\],"nextToken":null}`, status, text)
	for _, path := range []string{"/retainedMessage/r%2F1", "/retainedMessage/r/1"} {
		status, text = c.call("GET", path, "")
		c.wants(200, `{"topic":"r/1","payload":"eHg=","qos":1,"lastModifiedTime":\d{13},"userProperties":null}`, status, text)
	}
	status, text = c.call("POST", "/topics/u?retain=true", "x", "x-amz-mqtt5-user-properties: W3siYSI6ImIifV0=")
	c.wants(200, ".*", status, text)
	status, text = c.call("GET", "/retainedMessage/u", "")
	c.wants(200, `.*"userProperties":"W3siYSI6ImIifV0="}`, status, text)
	status, text = c.call("GET", "/retainedMessage/none", "")
	c.wants(404, `.*"message":"No retained message found for topic: none".*`, status, text)
	status, text = c.call("GET", "/retainedMessage?maxResults=201", "")
	c.wants(400, `.*Invalid maxResults: it is 1 to 200.*`, status, text)
	status, text = c.call("GET", "/retainedMessage?nextToken=!", "")
	c.wants(400, `.*Invalid nextToken.*`, status, text)
	status, text = c.call("DELETE", "/retainedMessage/u", "")
	c.wants(405, `.*Method not allowed.*`, status, text)
}

func TestConnectionsAPI(t *testing.T) {
	c := newCloud(t, nil)
	watch, err := c.Watch("will/+")
	must(t, err)
	defer watch.Close()
	status, text := c.call("GET", "/connections/a%2Fb", "")
	c.wants(404, `.*"message":"Client not found".*`, status, text)
	x, _ := c.connect(0, "a/b", options{persistent: true, keepAlive: 60, will: &broker.Message{Topic: "will/1", Payload: []byte("gone")}})
	x.subscribe(1, "f/1", "f/2", "f/3")
	x.subscribe(0, "f/+/g")
	status, text = c.call("GET", "/connections/a%2Fb", "")
	c.wants(200, `{"clientId":"a/b","connected":true,"thingName":"thing0","cleanSession":false,"keepAliveDuration":60,"connectedSince":\d{13},"sessionExpiry":3600}`, status, text)
	status, text = c.call("GET", "/connections/a%2Fb?includeSocketInformation=TRUE", "")
	c.wants(200, `.*"sourceIp":"127.0.0.1","sourcePort":`+portOf(x.conn.LocalAddr().String())+`,"targetIp":"127.0.0.1","targetPort":`+portOf(c.mqtt)+`,.*`, status, text)
	status, text = c.call("GET", "/connections/a%2Fb/subscriptions?maxResults=3", "")
	c.wants(200, `{"subscriptions":\[{"topicFilter":"f/\+/g","qos":0},{"topicFilter":"f/1","qos":1},{"topicFilter":"f/2","qos":1}\],"nextToken":"[^"]+"}`, status, text)
	var p struct{ NextToken string }
	must(t, json.Unmarshal([]byte(text), &p))
	status, text = c.call("GET", "/connections/a%2Fb/subscriptions?maxResults=3&nextToken="+p.NextToken, "")
	c.wants(200, `{"subscriptions":\[{"topicFilter":"f/3","qos":1}\]}`, status, text)

	// A message for one client alone, whether it subscribed or not.
	status, text = c.call("POST", "/connections/a%2Fb/messages?topic=direct%2F1", "quick")
	c.wants(200, `{"message":"OK","traceId":".*"}`, status, text)
	x.expect("direct/1 quick")
	done := make(chan struct{})
	go func() {
		defer close(done)
		status, text := c.call("POST", "/connections/a%2Fb/messages?topic=direct%2F2&confirmation=true&timeout=15", "sure")
		c.wants(200, `{"message":"OK","traceId":".*"}`, status, text)
	}()
	x.expect("direct/2 sure") // acknowledges
	<-done
	status, text = c.call("POST", "/connections/a%2Fb/messages?topic=direct%2F3&confirmation=true&timeout=1", "unheard")
	c.wants(504, `.*"message":"Delivery confirmation timed out".*`, status, text)
	if m, id := x.unacked(); m.Topic != "direct/3" {
		t.Errorf("%+v", m)
	} else {
		x.puback(id)
	}

	for path, want := range map[string]string{
		"/connections/%24x":                                                        "Invalid client id",
		"/connections/" + strings.Repeat("x", 129):                                 "Invalid client id",
		"/connections/x?includeSocketInformation=maybe":                            "Invalid includeSocketInformation",
		"/connections/x/subscriptions?maxResults=0":                                "Client not found",
		"POST /connections/x/messages":                                             "Invalid topic",
		"POST /connections/x/messages?topic=a%2F%23":                               "Invalid topic",
		"POST /connections/x/messages?topic=a&confirmation=1":                      "Invalid confirmation",
		"POST /connections/x/messages?topic=a&confirmation=true&timeout=16":        "Invalid timeout: it is 1 to 15",
		"POST /connections/x/messages?topic=a&confirmation=true&responseTopic=%2B": "Invalid responseTopic",
		"POST /connections/x/messages?topic=a":                                     "Client not found",
		"DELETE /connections/x?cleanSession=2":                                     "Invalid cleanSession",
		"DELETE /connections/x?preventWillMessage=2":                               "Invalid preventWillMessage",
		"DELETE /connections/x":                                                    "Client not found",
	} {
		method, at, ok := strings.Cut(path, " ")
		if !ok {
			method, at = "GET", path
		}
		status, text := c.call(method, at, "")
		if status != 400 && status != 404 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}

	status, text = c.call("DELETE", "/connections/a%2Fb", "")
	c.wants(200, "", status, text)
	x.closed()
	c.said("disconnected", `client "a/b"`, "API_INITIATED_DISCONNECT")
	if m := <-watch.C(); string(m.Payload) != "gone" {
		t.Errorf("will %+v", m)
	}
	status, text = c.call("GET", "/connections/a%2Fb?includeSocketInformation=true", "")
	c.wants(200, `{"clientId":"a/b","connected":false,"thingName":"thing0","cleanSession":false,"disconnectedSince":\d{13},"disconnectReason":"API_INITIATED_DISCONNECT","sessionExpiry":3600}`, status, text)
	x, _ = c.connect(0, "a/b", options{persistent: true, will: &broker.Message{Topic: "will/2", Payload: []byte("never")}})
	status, text = c.call("DELETE", "/connections/a%2Fb?cleanSession=TRUE&preventWillMessage=TRUE", "")
	c.wants(200, "", status, text)
	x.closed()
	for !strings.Contains(text, `"cleanSession":true`) { // the session goes as soon as its connection has
		status, text = c.call("GET", "/connections/a%2Fb", "")
	}
	c.wants(200, `{"clientId":"a/b","connected":false,"thingName":"thing0","cleanSession":true,"disconnectedSince":\d{13},"disconnectReason":"API_INITIATED_DISCONNECT","sessionExpiry":0}`, status, text)
	must(t, c.Publish(Message{Topic: "will/3"}))
	if m := <-watch.C(); m.Topic != "will/3" {
		t.Errorf("a will that was not to be sent: %+v", m)
	}
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// TestConnectionsPolicy: each call has an action of its own.
func TestConnectionsPolicy(t *testing.T) {
	c := newCloud(t, nil)
	must(t, c.store.PutPolicy("nothing", []byte(`{"Statement":{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}}`)))
	c.addDevice(1, "T", "nothing")
	for request, says := range map[string]string{
		"GET /connections/x":                   "iot:GetConnection on client/x",
		"DELETE /connections/x":                "iot:DeleteConnection on client/x",
		"GET /connections/x/subscriptions":     "iot:ListSubscriptions on client/x",
		"POST /connections/x/messages?topic=t": "iot:SendDirectMessage on client/x",
		"GET /retainedMessage":                 "iot:ListRetainedMessages on *",
		"GET /retainedMessage/a%2Fb":           "iot:GetRetainedMessage on topic/a/b",
	} {
		if got := c.request(1, request+" HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 403") {
			t.Errorf("%s: %s", request, got)
		}
		c.said("refused", says)
	}
}
