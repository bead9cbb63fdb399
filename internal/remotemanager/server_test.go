package remotemanager

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/rmlink"
)

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(100, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// bench is a Remote Manager and those who use it.
type bench struct {
	t    *testing.T
	s    *Server
	addr string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	b := &bench{t: t, addr: l.Addr().String(), s: New(Config{
		Now: func() time.Time { return now }, Certificate: certificate(),
		After: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
		Log:   func(refused bool, text string) { t.Log(text) },
	})}
	b.s.Listen(l)
	t.Cleanup(b.s.Close)
	return b
}

// do makes a request and returns the status and the body.
func (b *bench) do(method, path, body string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequest(method, "http://"+b.addr+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.SetBasicAuth("user", "password")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

// want makes a request and wants the answer to hold some texts.
func (b *bench) want(method, path, body string, status int, has ...string) {
	b.t.Helper()
	got, text := b.do(method, path, body)
	if got != status {
		b.t.Errorf("%s %s: status %d, want %d: %s", method, path, got, status, text)
	}
	for _, h := range has {
		if !strings.Contains(text, h) {
			b.t.Errorf("%s %s: %s\ndoes not hold %s", method, path, text, h)
		}
	}
}

const deviceID = "00010000-00000000-03546580-90000002"

// module is a device on a plain connection.
type module struct {
	t    *testing.T
	conn net.Conn
	in   rmlink.Decoder
}

func (b *bench) module(id string, over func(net.Conn) net.Conn) *module {
	b.t.Helper()
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	if over != nil {
		c = over(c)
	}
	m := &module{t: b.t, conn: c}
	b.t.Cleanup(func() { c.Close() })
	info, _ := json.Marshal(rmlink.Info{ID: id, IMEI: "354658090000002", Type: "XBee", Firmware: 0x11413, Address: "10.0.0.1"})
	m.send(rmlink.Message{Type: rmlink.Hello, Data: info})
	if got := m.next(); got.Type != rmlink.Welcome {
		b.t.Fatalf("the first message is %+v", got)
	}
	return m
}

func (m *module) send(msg rmlink.Message) {
	m.t.Helper()
	if _, err := m.conn.Write(rmlink.Append(nil, msg)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *module) next() rmlink.Message {
	m.t.Helper()
	m.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 1000)
	for {
		msg, ok, err := m.in.Next()
		if err != nil {
			m.t.Fatal(err)
		}
		if ok {
			return msg
		}
		n, err := m.conn.Read(buf)
		if err != nil {
			m.t.Fatal(err)
		}
		m.in.Write(buf[:n])
	}
}

func TestInventory(t *testing.T) {
	b := newBench(t)
	b.want("GET", "/ws/DeviceCore", "", 200, "<resultTotalRows>0</resultTotalRows>")
	b.want("POST", "/ws/DeviceCore", "<DeviceCore><devConnectwareId>"+deviceID+"</devConnectwareId></DeviceCore>", 201, "<location>DeviceCore/1/0</location>")
	b.want("POST", "/ws/DeviceCore", "<DeviceCore><devConnectwareId>nonsense</devConnectwareId></DeviceCore>", 400, "no device identifier")
	b.want("GET", "/ws/DeviceCore.json", "", 200, `"dpConnectionStatus":"0"`, `"resultTotalRows":"1"`)
	for _, over := range []func(net.Conn) net.Conn{nil, func(c net.Conn) net.Conn {
		return tls.Client(c, &tls.Config{InsecureSkipVerify: true, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, MaxVersion: tls.VersionTLS12})
	}} {
		m := b.module(strings.ToLower(deviceID), over)
		b.want("GET", "/ws/DeviceCore/"+deviceID, "", 200, "<devConnectwareId>"+deviceID, "<dpConnectionStatus>1<", "<devCellularModemId>354658090000002<", "<dpFirmwareLevelDesc>11413<")
		b.want("GET", "/ws/v1/devices/inventory/"+deviceID, "", 200, `"connection_status":"connected"`)
		b.want("POST", "/ws/sci", `<sci_request version="1.0"><disconnect><targets><device id="all"/></targets></disconnect></sci_request>`, 200, "<disconnected/>")
		if got := m.next(); got.Type != rmlink.Disconnect {
			t.Errorf("the module is told %+v", got)
		}
		m.conn.Close()
		for i := 0; ; i++ {
			if _, up := b.s.Devices(); !up[0] {
				break
			}
			if i == 500 {
				t.Fatal("the device stays connected")
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	b.want("GET", "/ws/DeviceCore.json?size=0", "", 200, `"resultSize":"0"`, `"remainingSize":"1"`)
	b.want("GET", "/ws/DeviceCore.json", "", 200, `"dpLastDisconnectTime":"2020-01-02T03:04:05.000Z"`)
	b.want("DELETE", "/ws/DeviceCore/"+deviceID, "", 200)
	b.want("DELETE", "/ws/DeviceCore/"+deviceID, "", 404)
	b.want("PATCH", "/ws/DeviceCore", "", 405)
	b.want("GET", "/ws/Monitor", "", 404, "/ws")
	resp, err := http.Get("http://" + b.addr + "/ws/DeviceCore")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("without an account: %v", resp.Status)
	}
}

func TestHTTPS(t *testing.T) {
	b := newBench(t)
	c := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	r, _ := http.NewRequest("GET", "https://"+b.addr+"/ws/DataStream.json", nil)
	r.Header.Set("Authorization", "Bearer token")
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Error(resp.Status)
	}
}

func TestStreams(t *testing.T) {
	b := newBench(t)
	b.want("GET", "/ws/DataStream.json", "", 200, `"items":[]`)
	b.want("POST", "/ws/DataStream", "<DataStream><streamId>a/b</streamId><dataType>float</dataType><units>C</units></DataStream>", 201, "<location>a/b</location>")
	b.want("POST", "/ws/DataStream", "<DataStream><streamId>a/b</streamId></DataStream>", 409, "exists")
	b.want("POST", "/ws/DataStream.json", "<DataStream><streamId>c</streamId><dataType>foobar</dataType></DataStream>", 400, `"error":"POST DataStream error. Invalid dataType: foobar"`)
	b.want("PUT", "/ws/DataStream/a/b", "<DataStream><description>x &amp; y</description></DataStream>", 200)
	b.want("PUT", "/ws/DataStream/none", "<DataStream/>", 404)
	b.want("POST", "/ws/DataStream", "<DataStream", 400, "XML")
	b.want("GET", "/ws/DataStream/a", "", 200, "<streamId>a/b</streamId>", "<dataType>FLOAT</dataType>", "<description>x &amp; y</description>", "<units>C</units>")
	b.want("GET", "/ws/DataStream/none", "", 404)

	b.want("POST", "/ws/DataPoint/a/b", "<DataPoint><data>1.5</data><quality>3</quality><timestamp>2020-01-01T00:00:00Z</timestamp></DataPoint>", 201, "<location>DataPoint/a/b</location>")
	b.want("POST", "/ws/DataPoint", "<list><DataPoint><data>2.5</data><streamId>a/b</streamId></DataPoint><DataPoint><data>hi</data><streamId>new</streamId><streamType>STRING</streamType></DataPoint></list>", 201)
	b.want("POST", "/ws/DataPoint", "#STREAMID,DATA,TIMESTAMP\r\na/b,3.5,1577836801000\r\n", 201)
	b.want("POST", "/ws/DataPoint/a/b", "4.5,,,\"a, b\"\n", 201)
	for _, bad := range []string{"<DataPoint><data>x</data></DataPoint>", "<other/>", "<DataPoint>", "#NOSUCH\n1\n", "1,not a time\n", "1,,many\n", "1,2,3,4,5,6,7,8,9,10\n", "\"", "<DataPoint><data>1</data><dataType>FOO</dataType></DataPoint>"} {
		b.want("POST", "/ws/DataPoint/a/b", bad, 400, "error")
	}
	b.want("POST", "/ws/DataPoint", "1\n", 400, "streamId")
	if p := b.s.Points("a/b"); len(p) != 4 || p[0].Data != "1.5" || p[1].Data != "3.5" || p[3].Data != "4.5" {
		t.Errorf("%v", p)
	}
	b.want("GET", "/ws/DataPoint/a/b.json", "", 200, `"resultSize":"4"`, `"timestampISO":"2020-01-01T00:00:00.000Z"`, `"data":"1.5"`, `"quality":"3"`, `"description":"a, b"`)
	b.want("GET", "/ws/DataPoint/a/b.json?order=desc&size=1", "", 200, `"data":"4.5"`, `"pageCursor":"1"`)
	b.want("GET", "/ws/DataPoint/a/b.json?size=1&pageCursor=1", "", 200, `"data":"3.5"`)
	b.want("GET", "/ws/DataPoint/a/b.json?startTime=1577836801000&endTime=2020-01-01T00:00:02Z", "", 200, `"resultSize":"1"`)
	b.want("GET", "/ws/DataPoint/a/b.json?timeline=server&startTime=2020-01-02", "", 200, `"resultSize":"4"`)
	b.want("GET", "/ws/DataPoint/a/b?rollupInterval=hour", "", 400)
	b.want("GET", "/ws/DataPoint/a/b?startTime=soon", "", 400, "Invalid timestamp")
	b.want("GET", "/ws/DataPoint/none", "", 404)
	b.want("GET", "/ws/DataStream/a/b.json", "", 200, `"currentValue":{"id"`, `"data":"4.5"`)
	b.want("DELETE", "/ws/DataPoint/a/b?endTime=2020-01-01T00:00:01Z", "", 200, "1 items deleted")
	b.want("DELETE", "/ws/DataPoint/a/b", "", 200, "3 items deleted")
	b.want("DELETE", "/ws/DataStream/a/b", "", 200)
	b.want("DELETE", "/ws/DataStream/a/b", "", 404)
}

func TestV1(t *testing.T) {
	b := newBench(t)
	b.want("POST", "/ws/v1/streams/inventory/", `{"id": "temp", "type": "DOUBLE", "units": "F", "description": "d"}`, 200, `"count":1`)
	b.want("POST", "/ws/v1/streams/inventory", `[{"id": "x"}, {"id": "y"}]`, 200, `"count":2`)
	b.want("POST", "/ws/v1/streams/history/", `{"stream_id": "temp", "value": 70}`, 200)
	b.want("POST", "/ws/v1/streams/history/", `[{"stream_id": "temp", "value": "71.5", "timestamp": "2020-01-03T00:00:00Z"}]`, 200)
	b.want("GET", "/ws/v1/streams/inventory/temp.json", "", 200, `"id":"temp"`, `"type":"DOUBLE"`, `"value":"71.5"`)
	b.want("GET", "/ws/v1/streams/inventory.json", "", 200, `"count":3`)
	b.want("GET", "/ws/v1/streams/history/temp?size=1", "", 200, `"value":"70"`, `"count":1`)
	b.want("PUT", "/ws/v1/streams/inventory/temp", `{"units": "K"}`, 200, `"units":"K"`)
	b.want("PUT", "/ws/v1/streams/inventory/none", `{}`, 404)
	for _, bad := range []string{"", "{", `{"id": "z", "type": "FOO"}`, `{}`} {
		b.want("POST", "/ws/v1/streams/inventory", bad, 400, "error_message")
	}
	b.want("POST", "/ws/v1/streams/history", `{"stream_id": "temp", "value": "hot"}`, 400)
	b.want("DELETE", "/ws/v1/streams/history/temp?end_time=2020-01-02T23:00:00Z", "", 204)
	b.want("DELETE", "/ws/v1/streams/inventory/temp", "", 204)
	b.want("DELETE", "/ws/v1/streams/inventory/temp", "", 404)
	b.want("GET", "/ws/v1/streams/history/temp", "", 404)
}

const sci = `<sci_request version="1.0"><data_service%><targets><device id="` + deviceID + `"/></targets>` +
	`<requests><device_request target_name="micropython">a &lt; b</device_request></requests></data_service></sci_request>`

func TestSCI(t *testing.T) {
	b := newBench(t)
	request := strings.Replace(sci, "%", "", 1)
	b.want("POST", "/ws/sci", request, 200, `<error id="303"><desc>Invalid target. Device not found.</desc>`, "No valid targets found")
	b.s.mu.Lock()
	b.s.lookUp(deviceID)
	b.s.mu.Unlock()
	b.want("POST", "/ws/sci", request, 200, `<error id="2001"><desc>Device Not Connected</desc>`)
	m := b.module(deviceID, nil)
	answers := []rmlink.Message{{Data: []byte("x & y")}, {Status: rmlink.NoTarget, Data: []byte("nobody")}, {Data: []byte{0xFF, 0}}, {Data: []byte("later")}}
	done := make(chan bool)
	go func() {
		defer close(done)
		for _, a := range answers {
			q := m.next()
			if q.Type != rmlink.Request || q.Name != "micropython" || string(q.Data) != "a < b" {
				t.Errorf("the module gets %+v", q)
			}
			a.Type, a.ID = rmlink.Result, q.ID
			m.send(a)
		}
	}()
	b.want("POST", "/ws/sci", request, 200, `<device id="`+deviceID+`"><requests><device_request target_name="micropython" status="0">x &amp; y</device_request></requests></device>`)
	b.want("POST", "/ws/sci", request, 200, `status="1">nobody</device_request>`)
	b.want("POST", "/ws/sci", request, 200, `status="0" format="base64">/wA=</device_request>`)
	_, text := b.do("POST", "/ws/sci", strings.Replace(sci, "%", ` synchronous="false"`, 1))
	job := strings.TrimSuffix(strings.SplitAfter(text, "<jobId>")[1], "</jobId></data_service></sci_reply>")
	<-done
	for i := 0; ; i++ {
		if _, text := b.do("GET", "/ws/sci/"+job, ""); strings.Contains(text, "<status>complete</status>") {
			if !strings.Contains(text, ">later<") {
				t.Errorf("the job ends with %s", text)
			}
			break
		}
		if i == 500 {
			t.Fatal("the job does not end")
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.want("GET", "/ws/sci/999", "", 404)
	b.want("POST", "/ws/sci", strings.Replace(sci, "%", ` syncTimeout="1"`, 1), 200, `<error id="2002"><desc>Message Timeout</desc>`)
	for _, bad := range []string{"", "<sci_request/>", "<other/>"} {
		b.want("POST", "/ws/sci", bad, 400, "Invalid SCI request")
	}
	b.want("POST", "/ws/sci", `<sci_request><reboot><targets><device id="all"/></targets></reboot></sci_request>`, 200, "no reboot")
	b.want("POST", "/ws/sci", `<sci_request><data_service><targets><device id="all"/></targets></data_service></sci_request>`, 200, "device_request")
}

func TestConsole(t *testing.T) {
	b := newBench(t)
	b.want("POST", "/console/"+deviceID, "x", 409, "Not Connected")
	m := b.module(deviceID, nil)
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "POST /console/"+deviceID+" HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dTpw\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelp\r\r\n")
	if got := m.next(); got.Type != rmlink.ConsoleOpen {
		t.Fatalf("%+v", got)
	}
	if got := m.next(); got.Type != rmlink.ConsoleData || string(got.Data) != "help\r" {
		t.Fatalf("%+v", got)
	}
	b.want("POST", "/console/"+deviceID, "x", 409, "somebody else")
	m.send(rmlink.Message{Type: rmlink.ConsoleData, Data: []byte("commands: help")})
	in := bufio.NewReader(c)
	var text bytes.Buffer
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for !strings.Contains(text.String(), "commands: help") {
		line, err := in.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			t.Fatal(err, text.String())
		}
	}
	m.send(rmlink.Message{Type: rmlink.ConsoleClose})
	if got := m.next(); got.Type != rmlink.ConsoleClose {
		t.Errorf("%+v", got)
	}
}

// TestFiles: what a device uploads besides data points is kept in its directory.
func TestFiles(t *testing.T) {
	b := newBench(t)
	m := b.module(deviceID, nil)
	for i, u := range []rmlink.Message{
		{Name: "a/log.txt", Kind: "text/plain", Data: []byte("one\n")},
		{Name: "a/log.txt", Kind: "text/plain", Data: []byte("two\n"), Status: rmlink.AppendTo},
		{Name: "../../x", Data: []byte{1, 2}},
		{Name: "gone", Status: rmlink.Transient},
	} {
		u.Type, u.ID = rmlink.Upload, uint32(i)
		m.send(u)
		if got := m.next(); got.Type != rmlink.Result || got.Status != rmlink.OK || got.ID != u.ID {
			t.Fatalf("%+v", got)
		}
	}
	b.want("GET", "/ws/FileData/~/"+deviceID+"/a/log.txt", "", 200, "one\ntwo")
	b.want("GET", "/ws/FileData", "", 200, "<resultSize>2</resultSize>", "<fdPath>/~/"+deviceID+"/</fdPath><fdName>x</fdName>")
	b.want("GET", "/ws/FileData/~/"+deviceID+"/a.json", "", 200, `"fdName":"log.txt"`, `"fdSize":"8"`, `"resultSize":"1"`)
	b.want("DELETE", "/ws/FileData/~/"+deviceID+"/x", "", 200)
	b.want("DELETE", "/ws/FileData/~/"+deviceID+"/x", "", 404)
	b.want("PUT", "/ws/FileData/x", "", 405)
}

// TestTurnedAway: what is no module and no HTTP loses its connection, and nobody
// else theirs.
func TestTurnedAway(t *testing.T) {
	b := newBench(t)
	for _, first := range [][]byte{
		rmlink.Append(nil, rmlink.Message{Type: rmlink.Ping}),
		rmlink.Append(nil, rmlink.Message{Type: rmlink.Hello, Data: []byte(`{"id":"x"}`)}),
		{rmlink.Mark, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, []byte("nonsense\r\n\r\n"), []byte("\x16nonsense"),
	} {
		c, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		c.Write(first)
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.ReadAll(c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%q keeps its connection", first)
		}
		c.Close()
	}
	m := b.module(deviceID, nil)
	m.send(rmlink.Message{Type: rmlink.Upload, ID: 9, Name: "DataPoint/x", Data: []byte("#NOSUCH\n1\n")})
	if got := m.next(); got.Type != rmlink.Result || got.ID != 9 || got.Status != rmlink.Refused {
		t.Errorf("%+v", got)
	}
	again := b.module(deviceID, nil) // the older connection gives way
	m.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := m.conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the older connection: %v", err)
	}
	again.send(rmlink.Message{Type: rmlink.Upload, ID: 1, Name: "DataPoint/upload.csv", Data: []byte("#STREAMID,DATA\r\ns,1\r\n")})
	if got := again.next(); got.Status != rmlink.OK || len(b.s.Points(deviceID+"/s")) != 1 {
		t.Errorf("%+v", got)
	}
}

func FuzzReaders(f *testing.F) {
	for _, s := range []string{"#STREAMID,DATA\r\na,1\n", "<list><DataPoint><data>1</data></DataPoint></list>", sci, `[{"stream_id":"a","value":1}]`, "<DataStream><streamId>x</streamId></DataStream>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := &Server{conf: Config{Now: func() time.Time { return time.Unix(0, 0) }}, streams: map[string]*stream{}}
		for _, parse := range []func(string) ([]point, error){parseCSV, parseXML} {
			if points, err := parse(text); err == nil {
				s.addPoints(points)
			}
		}
		oneOrMany[v1Point](text)
		element(text, "streamId")
	})
}
