package api

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/xbee/modem"
)

// port is a port in hexadecimal digits.
func port(a netip.AddrPort) string { return fmt.Sprintf("%04X", a.Port()) }

// tx20 is frame 20.
func tx20(id byte, to netip.AddrPort, source uint16, proto, options byte, data string) string {
	return fmt.Sprintf("20 %02X %s %s %04X %02X %02X %s", id, serverHex, port(to), source, proto, options, text(data))
}

// b0 checks a frame B0 but for the module's own port, which it returns.
func (r *rig) b0(what, got string, from netip.AddrPort, proto byte, data string) uint16 {
	r.t.Helper()
	var local uint16
	if len(got) >= 14 {
		fmt.Sscanf(got[10:14], "%04X", &local)
	}
	r.answers(what, []string{got}, fmt.Sprintf("B0 %s %04X %s %02X 00 %s", serverHex, local, port(from), proto, text(data)))
	return local
}

func TestTCPByAddress(t *testing.T) {
	server := serve(t, echo)
	r := newRig(t, options{routes: routes(server)})
	r.tell("%s", tx20(1, server, 0, 1, 0, "hello")) // connects first
	r.then("sent", "89 01 00")
	local := r.b0("received", r.next(), server, 1, "hello")
	if local < 49152 {
		t.Errorf("local port %d", local)
	}
	r.tell("%s", tx20(2, server, 0, 1, 0, "again"))
	r.then("the same socket", "89 02 00")
	if again := r.b0("received", r.next(), server, 1, "again"); again != local || len(r.ips) != 1 {
		t.Errorf("port %d, then %d; %d sockets", local, again, len(r.ips))
	}
	r.tell("%s", tx20(3, server, local, 1, 0, "port"))
	r.then("by its port", "89 03 00")
	r.b0("received", r.next(), server, 1, "port")
	r.expect("from another port", tx20(4, server, local+1, 1, 0, "x"), "89 04 79")
	elsewhere := netip.AddrPortFrom(server.Addr(), server.Port()+1)
	r.expect("to nowhere with a port", tx20(5, elsewhere, local, 1, 0, "x"), "89 05 77")
	r.tell("%s", tx20(0, server, 0, 1, 0, "quiet")) // no answer wanted
	r.b0("received", r.next(), server, 1, "quiet")
	r.tell("%s", tx20(6, server, 0, 1, 2, "bye"))
	r.then("close it afterwards", "89 06 00")
	if !r.until(func() bool { return len(r.ips) == 0 && len(r.modem.Sockets()) == 0 }) {
		t.Error("the socket is still open")
	}
	if got := fmt.Sprint(r.why); got != fmt.Sprint([]modem.Reason{modem.NoReason, modem.Interrupted}) {
		t.Errorf("indications %s", got)
	}
}

func TestFrame20Refuses(t *testing.T) {
	server := serve(t, echo)
	r := newRig(t, options{routes: routes(server)})
	r.expect("protocol", tx20(1, server, 0, 2, 0, "x"), "89 01 7B")
	r.expect("address", "20 01 00000000 0050 0000 01 00 41", "89 01 7A")
	r.expect("port", "20 01 CB007107 0000 0000 01 00 41", "89 01 7A")
	r.expect("too long", tx20(1, server, 0, 1, 0, strings.Repeat("x", 1501)), "89 01 74")
	r.expect("too long a datagram", tx20(1, server, 0, 0, 0, strings.Repeat("x", 513)), "89 01 74")
	r.expect("too short", "20 01 CB007107 0050 0000 01", "FE 03")
	r.expect("no such TLS profile", "23 01 CB007107 0050 0000 03 00 41", "89 01 86")
	r.tell("08 00 2430 %s", text("missing.pem;;"))
	r.expect("a file is missing", "23 01 CB007107 0050 0000 00 00 41", "89 01 86")
	r.expect("with frame 20 too", tx20(1, server, 0, 4, 0, "x"), "89 01 86")
	refuses, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refuses.Close()
	closed := refuses.Addr().(*net.TCPAddr).AddrPort()
	r = newRig(t, options{routes: routes(closed)})
	r.tell("%s", tx20(1, closed, 0, 1, 0, "x"))
	r.tell("%s", tx20(2, closed, 0, 1, 0, "y")) // waits for the same connection
	r.then("nobody listens", "89 01 80", "89 02 80")
	r.expect("nobody there", "20 03 C0000201 0050 0000 01 00 41", "89 03 84")
	off := newRig(t, options{off: true})
	off.expect("not registered", tx20(1, server, 0, 1, 0, "x"), "89 01 22")
	if len(off.modem.Sockets()) != 0 || off.why[0] != modem.NotRegistered {
		t.Errorf("sockets %v, why %v", off.modem.Sockets(), off.why)
	}
}

func TestNoMoreSockets(t *testing.T) {
	r := newRig(t, options{})
	for range 6 {
		if _, e := r.modem.Socket(modem.UDP); e != 0 {
			t.Fatal(e)
		}
	}
	r.expect("no socket", tx20(1, netip.MustParseAddrPort("203.0.113.7:80"), 0, 1, 0, "x"), "89 01 76")
	r.expect("nor for a created one", "40 01 01", "C0 01 FF 32")
}

func TestDatagramsByAddress(t *testing.T) {
	server := echoUDP(t)
	r := newRig(t, options{routes: routes(server)})
	r.tell("%s", tx20(1, server, 0, 0, 0, "hello"))
	r.then("sent", "89 01 00")
	local := r.b0("received", r.next(), server, 0, "hello")
	r.tell("%s", tx20(2, server, local, 0, 0, "again"))
	r.then("by its port", "89 02 00")
	r.b0("received", r.next(), server, 0, "again")
	r.expect("from a port that is not ours", tx20(3, server, 9750, 0, 0, "x"), "89 03 78")
	r.tell("08 00 4330 2616") // ATC0
	r.tell("%s", tx20(4, server, 0x2616, 0, 0, "bound"))
	r.then("from ATC0", "89 04 00")
	if local := r.b0("received", r.next(), server, 0, "bound"); local != 0x2616 {
		t.Errorf("port %d", local)
	}
}

func TestIdleTimeout(t *testing.T) {
	server := serve(t, echo)
	r := newRig(t, options{routes: routes(server)})
	r.tell("08 00 544D 000A") // ATTM: one second
	r.tell("%s", tx20(1, server, 0, 1, 0, "hello"))
	r.then("sent", "89 01 00")
	r.next()
	r.pass(900 * time.Millisecond)
	if len(r.ips) != 1 {
		t.Error("closed too early")
	}
	r.pass(200 * time.Millisecond)
	if len(r.ips) != 0 || len(r.modem.Sockets()) != 0 {
		t.Error("closed too late")
	}
}

func TestBulkThroughFrames(t *testing.T) {
	server := serve(t, echo)
	r := newRig(t, options{routes: routes(server)})
	var sent, got bytes.Buffer
	for i := range 40 {
		chunk := bytes.Repeat([]byte{byte(i)}, 1500)
		sent.Write(chunk)
		for r.Full() {
			r.pass(time.Millisecond)
		}
		r.tell("20 00 %s %s 0000 01 00 %X", serverHex, port(server), chunk)
		r.collect(&got)
	}
	r.until(func() bool {
		r.collect(&got)
		return got.Len() >= sent.Len()
	})
	if !bytes.Equal(sent.Bytes(), got.Bytes()) {
		t.Errorf("%d bytes sent, %d came back", sent.Len(), got.Len())
	}
}

// collect takes the payload of frames B0.
func (r *rig) collect(b *bytes.Buffer) {
	for _, f := range r.take() {
		var data []byte
		fmt.Sscanf(f[22:], "%X", &data)
		b.Write(data)
	}
}

// TestNothingIsReadInCommandMode keeps what arrives for later.
func TestNothingIsReadInCommandMode(t *testing.T) {
	answer, answered := make(chan struct{}), make(chan struct{})
	server := serve(t, func(c net.Conn) {
		io.CopyN(c, c, int64(len("first")))
		<-answer
		io.CopyN(c, c, int64(len("second")))
		close(answered)
		io.Copy(c, c)
	})
	r := newRig(t, options{routes: routes(server)})
	r.tell("%s", tx20(0, server, 0, 1, 0, "first"))
	r.next()
	r.tell("%s", tx20(0, server, 0, 1, 0, "second"))
	r.Open(false)
	close(answer)
	r.until(func() bool {
		select {
		case <-answered:
			return true
		default:
			return false
		}
	})
	for range 20 { // it is on its way, and may be there
		time.Sleep(time.Millisecond)
		r.pass(time.Millisecond)
	}
	if got := r.take(); len(got) != 0 {
		t.Fatalf("%q", got)
	}
	r.Open(true)
	r.b0("afterwards", r.next(), server, 1, "second")
}

func TestReset(t *testing.T) {
	server := serve(t, echo)
	r := newRig(t, options{routes: routes(server)})
	r.tell("%s", tx20(1, server, 0, 1, 0, "x"))
	r.tell("40 01 01")
	r.tell("3B 01 01 0000 09 %s", text("/flash/new.txt"))
	r.Open(false)
	r.Reset()
	r.pass(time.Second)
	if n := len(r.modem.Sockets()); n != 0 || len(r.files.handles) != 0 {
		t.Errorf("%d sockets, %d handles", n, len(r.files.handles))
	}
}
