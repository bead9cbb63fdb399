package awsiot

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// TestForeignText: what HTTPS takes and MQTT cannot carry is refused: every subscriber would have
// to close its connection.
func TestForeignText(t *testing.T) {
	c := newCloud(t, nil)
	for _, path := range []string{"/topics/a%ff", "/topics/a%00b", "/topics/%ed%a0%80?retain=true", "/topics/a?contentType=%00", "/topics/a?responseTopic=%ff"} {
		status, text := c.call("POST", path, "x")
		c.wants(400, `{"message":"Invalid .*`, status, text)
	}
	user := base64.StdEncoding.EncodeToString([]byte(`[{"a":"\u0000"}]`))
	status, text := c.call("POST", "/topics/a", "x", "x-amz-mqtt5-user-properties: "+user)
	c.wants(400, `{"message":"Invalid .*`, status, text)
	c.said(`topic "a\x00b" is not UTF-8 text`)
}

// TestTooLong: who sends far too much and reads only then finds the answer that says so.
func TestTooLong(t *testing.T) {
	c := newCloud(t, nil)
	tiny := strings.Repeat("1\r\nx\r\n", 100<<10)
	for name, request := range map[string]string{
		"413 length":       "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + strings.Repeat("x", 3000000),
		"413 small chunks": "POST /topics/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + tiny + "0\r\n\r\n",
		"400 header":       "GET /topics/a HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("y", 3000000) + "\r\n\r\n",
		"400 bad chunk":    "POST /topics/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + strings.Repeat("x", 300000),
	} {
		t.Run(name, func(t *testing.T) {
			nc, err := tls.Dial("tcp", c.https, c.tlsConfig(0))
			must(t, err)
			defer nc.Close()
			must(t, nc.SetDeadline(time.Now().Add(patience)))
			_, err = io.WriteString(nc, request)
			must(t, err)
			got := readAnswer(t, bufio.NewReader(nc))
			if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %.3s ", name)) {
				t.Error(got)
			}
		})
	}
}
