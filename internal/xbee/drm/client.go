// Package drm is the module's side of Digi Remote Manager: when to connect, what
// to send, the requests that come in, and the console session.
//
// The connection goes through the modem like any other, so that it takes one of
// the modem's sockets, is paid for, and ends where coverage ends. On it the
// module speaks the protocol of package rmlink to the local Remote Manager; it
// does not speak Digi's own.
//
// It knows neither Python nor frames: both use a [Client].
package drm

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// Config is what a client is made of.
type Config struct {
	Modem *modem.Modem
	Clock world.Clock
	// Number and Text are the settings of the AT table that count now.
	Number func(name string) uint64
	Text   func(name string) string
	// Info is what the module says of itself.
	Info func() rmlink.Info
	// Status takes the modem statuses 0E and 0F, connected and disconnected
	// (may be nil).
	Status func(status byte)
	// Note takes remarks for the person at the host (may be nil).
	Note func(text string)
	// Off: there is no Remote Manager to be reached.
	Off bool
}

// The modem statuses of the connection (device-facts.md 11.4).
const (
	StatusConnected    = 0x0E
	StatusDisconnected = 0x0F
)

// Bits of ATDO and ATMO.
const (
	doEnable = 1 // Remote Manager is used at all
	moStay   = 1 // stay connected
	moTLS    = 2
)

// How the module behaves where Digi says nothing more exact: choices, but for
// the back-off (guide, ATDO).
const (
	firstRetry = 30 * time.Second // doubled after each failure,
	lastRetry  = time.Hour        // up to this
	linger     = 5 * time.Second  // a connection that is only made to send something, or to ask for requests
	noNetwork  = time.Second      // how often to look whether the modem is on the Internet
	maxWaiting = 4                // device requests that wait for the program
	consoleMax = 4096             // bytes typed at the console that wait for the program
)

// MicroPython is the target of the device requests that are the program's.
const MicroPython = "micropython"

// Client is the module's connection. It serves the one goroutine that runs the
// device at a time; several of its tasks may use it.
type Client struct {
	conf Config

	sock     *modem.Socket // nil: no connection
	welcome  bool          // Remote Manager has answered
	decoder  rmlink.Decoder
	out      []byte
	lastID   uint32
	stepping bool // a task is within Step, waiting for the dial perhaps,
	// and another wanted to be
	kickAfter bool

	tryAt    time.Duration // the clock's time of the next attempt
	retry    time.Duration
	pollAt   time.Duration // when to ask for requests next; 0: not decided
	idle     time.Duration // when the connection was last of use
	pingAt   time.Duration
	uploads  []*Upload
	datagram []*datagramUpload

	requests []*Request
	other    func(*Request) bool
	console  consoleSession
	changed  chan struct{}
	kicked   chan struct{}
}

// New is the client of a module that has just been given power.
func New(c Config) *Client {
	return &Client{conf: c, changed: make(chan struct{}), kicked: make(chan struct{}, 1), retry: firstRetry}
}

func (c *Client) note(text string) {
	if c.conf.Note != nil {
		c.conf.Note(text)
	}
}

func (c *Client) now() time.Duration { return world.Uptime(c.conf.Clock) }

// Enabled reports whether ATDO lets the module use Remote Manager.
func (c *Client) Enabled() bool { return c.conf.Number("DO")&doEnable != 0 }

// Connected reports whether there is a connection.
func (c *Client) Connected() bool { return c.sock != nil && c.welcome }

// Indicator is what ATDI says: 0 connected; 1 the module is not on the Internet;
// 2 it is about to connect; 4 ATDO forbids it; 5 it will when there is a reason
// to, which one of Digi's samples (end_to_end_tank) takes for connected. Only the
// first is documented.
func (c *Client) Indicator() uint64 {
	switch {
	case c.Connected():
		return 0
	case !c.Enabled():
		return 4
	case !c.wanted():
		return 5
	case !c.conf.Modem.IsConnected():
		return 1
	}
	return 2
}

// stay reports whether the connection is to be kept open.
func (c *Client) stay() bool { return c.conf.Number("MO")&moStay != 0 }

// wanted reports whether there should be a connection now.
func (c *Client) wanted() bool {
	return c.stay() || c.pending() || c.polls() && c.pollAt > 0 && c.now() >= c.pollAt
}

// polls reports whether the module asks Remote Manager for requests now and then.
// Where there is none it would only fail.
func (c *Client) polls() bool { return !c.conf.Off }

func (c *Client) pending() bool {
	for _, u := range c.uploads {
		if !u.Done() {
			return true
		}
	}
	return false
}

// Changed is closed when something has happened that the program may care for: a
// request, an answer, what was typed at the console. The channel is for one wait,
// before which there was a look: the program may wait, and frames of the host for
// answers of their own.
func (c *Client) Changed() <-chan struct{} { return c.changed }

func (c *Client) nudge() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Kick makes whoever waits for Events look again: a setting has changed, or the
// module has got on the Internet.
func (c *Client) Kick() {
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

// Step does what can be done now, which may be to connect, the one thing that
// waits. Whoever waits for something from Remote Manager calls it before each
// wait, and a job of the device all the time.
func (c *Client) Step() {
	if c.stepping {
		c.kickAfter = true
		return
	}
	c.stepping = true
	defer func() {
		c.stepping = false
		if c.kickAfter {
			c.kickAfter = false
			c.Kick()
		}
	}()
	if c.pollAt == 0 {
		c.pollAt = c.now() + c.pollInterval()
	}
	c.stepDatagrams()
	switch {
	case !c.Enabled():
		c.hangUp()
	case c.sock == nil:
		if c.wanted() && c.now() >= c.tryAt {
			c.connect()
		}
	}
	if c.sock != nil {
		c.converse()
	}
}

// pollInterval is ATDF, how often a module that is not connected asks for
// requests.
func (c *Client) pollInterval() time.Duration {
	return time.Duration(max(1, c.conf.Number("DF"))) * time.Minute
}

// Until is how long a wait may last before Step has something to do by itself.
func (c *Client) Until() time.Duration {
	now := c.now()
	var at time.Duration
	switch {
	case c.stepping: // Events tells when that is over
		return world.Forever
	case c.sock != nil:
		at = c.pingAt
		if !c.stay() {
			at = min(at, c.idle+linger)
		}
	case !c.Enabled():
		return world.Forever
	case !c.wanted() && !c.polls():
		return world.Forever
	case !c.wanted():
		at = c.pollAt
	case !c.conf.Modem.IsConnected():
		at = now + noNetwork
	default:
		at = c.tryAt
	}
	return max(time.Millisecond, at-now)
}

// Events are what a wait should end on.
func (c *Client) Events() []<-chan struct{} {
	all := []<-chan struct{}{c.kicked}
	if c.sock != nil {
		all = append(all, c.sock.Changed()...)
	}
	for _, d := range c.datagram {
		all = append(all, d.sock.Changed()...)
	}
	return all
}

// connect opens the connection and says who calls.
func (c *Client) connect() {
	m := c.conf.Modem
	if !m.IsConnected() {
		c.tryAt = c.now() + noNetwork
		if !c.stay() { // there is no waiting for the network when something is to be sent
			c.failUploads(modem.ENOTCONN)
		}
		return
	}
	if c.conf.Off {
		c.note("there is no Remote Manager to connect to: start one with --drm local")
		c.failed(modem.ENXIO)
		return
	}
	proto, port := modem.TCP, rmlink.Port
	if c.conf.Number("MO")&moTLS != 0 {
		proto, port = modem.SEC, rmlink.TLSPort
	}
	s, e := m.Socket(proto)
	if e == 0 {
		if e = s.Connect(c.conf.Text("EQ"), port, m.Deadline(m.DialLimit())); e != 0 {
			s.Close()
		}
	}
	switch e {
	case 0:
	case modem.EINTR: // the program is to see something first
		return
	default:
		c.failed(e)
		return
	}
	hello, err := json.Marshal(c.conf.Info())
	if err != nil {
		panic("drm: " + err.Error())
	}
	c.sock, c.welcome, c.decoder, c.out = s, false, rmlink.Decoder{}, nil
	c.idle = c.now()
	c.send(rmlink.Message{Type: rmlink.Hello, Data: hello})
	for _, u := range c.uploads {
		c.send(u.message)
	}
}

// failed is an attempt to connect that came to nothing.
func (c *Client) failed(e modem.Errno) {
	c.tryAt = c.now() + c.retry
	c.retry = min(2*c.retry, lastRetry)
	c.pollAt = c.now() + c.pollInterval()
	c.failUploads(e)
}

func (c *Client) send(m rmlink.Message) {
	c.out = rmlink.Append(c.out, m)
	c.pingAt = c.now() + c.pingInterval()
}

// pingInterval is ATK2.
func (c *Client) pingInterval() time.Duration {
	if k := c.conf.Number("K2"); k > 0 {
		return time.Duration(k) * time.Second
	}
	return 24 * time.Hour
}

// converse sends and receives what there is.
func (c *Client) converse() {
	now := c.conf.Modem.Deadline(0)
	var buf [1024]byte
	for {
		n, e := c.sock.Recv(buf[:], now)
		if e == modem.EAGAIN {
			break
		}
		if e != 0 || n == 0 && c.sock.Why() == modem.PeerClosed { // a read may also come back empty for want of power
			c.lost()
			return
		}
		c.decoder.Write(buf[:n])
		if !c.receive() {
			return
		}
	}
	if c.now() >= c.pingAt {
		c.send(rmlink.Message{Type: rmlink.Ping})
	}
	for len(c.out) > 0 {
		n, e := c.sock.Send(c.out, now)
		if e == modem.EAGAIN {
			break
		}
		if e != 0 {
			c.lost()
			return
		}
		c.out = c.out[n:]
	}
	if c.pending() || c.console.open || len(c.requests) > 0 || len(c.out) > 0 {
		c.idle = c.now()
	}
	if !c.stay() && c.now() >= c.idle+linger {
		c.hangUp()
	}
}

// receive takes the messages that have arrived; false: the connection is gone.
func (c *Client) receive() bool {
	for {
		m, ok, err := c.decoder.Next()
		if err != nil {
			c.note(fmt.Sprintf("whoever answers as %s is no local Remote Manager of Skep's: the virtual module does not speak Digi's own protocol", c.conf.Text("EQ")))
			c.hangUp()
			c.failed(modem.EIO)
			return false
		}
		if !ok {
			return true
		}
		c.idle = c.now()
		switch m.Type {
		case rmlink.Welcome:
			c.welcome, c.retry, c.tryAt = true, firstRetry, 0
			c.pollAt = c.now() + c.pollInterval()
			c.status(StatusConnected)
		case rmlink.Result:
			c.answer(m)
		case rmlink.Request:
			c.request(m)
		case rmlink.ConsoleOpen, rmlink.ConsoleData, rmlink.ConsoleClose:
			c.console.receive(m)
		case rmlink.Disconnect:
			c.hangUp()
			c.tryAt = c.now() + firstRetry
			return false
		}
		c.nudge()
	}
}

func (c *Client) status(s byte) {
	if c.conf.Status != nil {
		c.conf.Status(s)
	}
}

// lost is a connection that ended without being asked to.
func (c *Client) lost() {
	c.hangUp()
	c.failed(modem.EIO)
}

// hangUp closes the connection.
func (c *Client) hangUp() {
	if c.sock == nil {
		return
	}
	c.sock.Close()
	was := c.welcome
	c.sock, c.welcome, c.out = nil, false, nil
	c.console.end()
	c.requests = nil
	if was {
		c.status(StatusDisconnected)
	}
	c.nudge()
}

// Reset forgets what was the program's, as a restart of the interpreter does:
// requests that it has not seen are refused. The connection stays.
func (c *Client) Reset() {
	for _, r := range c.requests {
		r.Answer(rmlink.NoTarget, []byte("the program was restarted"))
	}
	for _, d := range c.datagram {
		d.sock.Close()
	}
	c.requests, c.uploads, c.datagram = nil, nil, nil
	c.console.typed = nil
}

// Sleep is the module falling asleep, or the modem being switched off: the
// connection is gone.
func (c *Client) Sleep() {
	c.hangUp()
	c.failUploads(modem.EIO)
}
