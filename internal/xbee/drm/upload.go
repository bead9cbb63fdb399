package drm

import (
	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// Upload is something on its way to Remote Manager.
type Upload struct {
	message rmlink.Message
	done    bool
	errno   modem.Errno
	answer  string
}

// Done reports whether it has arrived, or failed.
func (u *Upload) Done() bool { return u.done }

// Errno is why it failed; 0 if it arrived, or is still on its way. Answer is
// what Remote Manager said to it.
func (u *Upload) Errno() modem.Errno { return u.errno }

// Answer is what Remote Manager said.
func (u *Upload) Answer() string { return u.answer }

func (u *Upload) finish(e modem.Errno, answer string) {
	u.done, u.errno, u.answer = true, e, answer
}

// Upload sends data to be stored under a path, over the connection, which is
// made for the purpose if there is none. mode is one of rmlink's.
func (c *Client) Upload(path, kind string, mode byte, data []byte) *Upload {
	u := &Upload{message: c.uploadMessage(path, kind, data)}
	u.message.Status = mode
	c.uploads = append(c.uploads, u)
	if c.sock != nil {
		c.send(u.message)
	} else {
		c.tryAt = 0 // what the program asks for does not wait for the back-off
		c.Kick()
	}
	return u
}

func (c *Client) uploadMessage(path, kind string, data []byte) rmlink.Message {
	c.lastID++
	return rmlink.Message{Type: rmlink.Upload, ID: c.lastID, Name: path, Kind: kind, Data: append([]byte(nil), data...)}
}

// answer is a Result that has come.
func (c *Client) answer(m rmlink.Message) {
	for i, u := range c.uploads {
		if u.message.ID != m.ID {
			continue
		}
		u.finish(resultErrno(m), string(m.Data))
		c.uploads = append(c.uploads[:i:i], c.uploads[i+1:]...)
		return
	}
}

// resultErrno is the error that a Result means: that Remote Manager did not take
// what was sent is EIO.
func resultErrno(m rmlink.Message) modem.Errno {
	if m.Status == rmlink.OK {
		return 0
	}
	return modem.EIO
}

func (c *Client) failUploads(e modem.Errno) {
	for _, u := range c.uploads {
		u.finish(e, "")
	}
	c.uploads = nil
	c.nudge()
}

// datagramUpload is an upload in one datagram, which gets one in answer.
type datagramUpload struct {
	*Upload
	sock *modem.Socket
}

// UploadDatagram is Upload in a datagram of its own, without a connection and
// without a second try. It fails at once where the modem cannot send it.
func (c *Client) UploadDatagram(path, kind string, data []byte) *Upload {
	u := &Upload{message: c.uploadMessage(path, kind, data)}
	m := c.conf.Modem
	s, e := m.Socket(modem.UDP)
	if e == 0 && c.conf.Off {
		c.note("there is no Remote Manager to send to: start one with --drm local")
		e = modem.ENXIO
	}
	if e == 0 {
		hello := []byte(c.conf.Info().ID)
		head := rmlink.Append(nil, rmlink.Message{Type: rmlink.Hello, Name: string(hello)})
		_, e = s.SendTo(rmlink.Append(head, u.message), c.conf.Text("EQ"), rmlink.DatagramPort, m.Deadline(m.DialLimit()))
	}
	if e != 0 {
		if s != nil {
			s.Close()
		}
		u.finish(e, "")
		return u
	}
	c.datagram = append(c.datagram, &datagramUpload{u, s})
	return u
}

// Abandon gives up waiting for an upload: what comes later counts no more.
func (c *Client) Abandon(u *Upload) {
	for i, d := range c.datagram {
		if d.Upload == u {
			d.sock.Close()
			c.datagram = append(c.datagram[:i:i], c.datagram[i+1:]...)
			return
		}
	}
	for i, o := range c.uploads {
		if o == u {
			c.uploads = append(c.uploads[:i:i], c.uploads[i+1:]...)
			return
		}
	}
}

// stepDatagrams takes the answers to datagrams.
func (c *Client) stepDatagrams() {
	now := c.conf.Modem.Deadline(0)
	var buf [2048]byte
	for i := 0; i < len(c.datagram); i++ {
		d := c.datagram[i]
		n, _, e := d.sock.RecvFrom(buf[:], now)
		if e == modem.EAGAIN {
			continue
		}
		var in rmlink.Decoder
		in.Write(buf[:n])
		m, ok, err := in.Next()
		switch {
		case e != 0 || n == 0:
			d.finish(modem.EIO, "")
		case err == nil && ok && m.Type == rmlink.Result && m.ID == d.message.ID:
			d.finish(resultErrno(m), string(m.Data))
		default:
			continue // somebody else's
		}
		d.sock.Close()
		c.datagram = append(c.datagram[:i:i], c.datagram[i+1:]...)
		i--
		c.nudge()
	}
}
