// Package rmlink is what a virtual module and the local Digi Remote Manager say
// to each other: messages in frames on a stream of bytes, or one to a datagram.
//
// It is not EDP, the protocol in which a real module speaks to Digi's Remote
// Manager: it carries the same things (who the device is, data points, device
// requests and their answers, a console session, keep-alives) in the simplest
// form. Neither side contacts the real one.
//
// It holds no connection and no state but a decoder's buffer.
package rmlink

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Type is the kind of a message.
type Type uint8

// The messages. D is from the device, S from Remote Manager.
const (
	Hello        Type = 1 + iota // D, first: Data is an Info in JSON
	Welcome                      // S, the answer
	Upload                       // D: Data is to be stored under Name, of media type Kind
	Result                       // D or S: the answer to an Upload or a Request, with Status and Data
	Request                      // S: Data for the target Name on the device
	ConsoleOpen                  // S: somebody has opened a console session
	ConsoleData                  // D or S
	ConsoleClose                 // D or S
	Ping                         // D or S: a keep-alive, which nobody answers
	Disconnect                   // S: hang up, and come back when it is time to
	last         = Disconnect
)

// The values of Message.Status in a Result.
const (
	OK       = 0
	NoTarget = 1 // nobody at the device answers requests of that name
	Refused  = 2 // the device, or Remote Manager, cannot take it
)

// The values of Message.Status in an Upload: what becomes of the data.
const (
	Overwrite = 0
	Archive   = 1
	AppendTo  = 2
	Transient = 3 // it is not stored
)

// Info is what a device says of itself.
type Info struct {
	ID          string `json:"id"` // 00010000-00000000-0IIIIIII-IIIIIIII for an IMEI
	IMEI        string `json:"imei"`
	Type        string `json:"type"` // the product's name
	Firmware    uint32 `json:"firmware"`
	Address     string `json:"address"`
	Description string `json:"description,omitempty"`
	Contact     string `json:"contact,omitempty"`
	Location    string `json:"location,omitempty"`
}

// Message is one message. ID ties a Result to what it answers.
type Message struct {
	Type   Type
	Status uint8
	ID     uint32
	Name   string
	Kind   string
	Data   []byte
}

// MaxData is the longest Data, in bytes; names are up to MaxName.
const (
	MaxData = 256 << 10
	MaxName = 255
)

// Ports are where Remote Manager listens: as EDP's do, without and with TLS, and
// for datagrams.
const (
	Port         = 3197
	TLSPort      = 3199
	DatagramPort = 3101
)

// head is mark, type, status, id, length of name, of kind, of data.
const head = 1 + 1 + 1 + 4 + 1 + 1 + 4

// Mark is the first byte of each frame; no request of HTTP begins with it.
const Mark = 0x02

// ErrFrame is what Next returns for bytes that are no frame.
var ErrFrame = errors.New("rmlink: this is not a frame of the link between module and local Remote Manager")

// Append appends the frame of m to b. It panics if a part is too long.
func Append(b []byte, m Message) []byte {
	if len(m.Name) > MaxName || len(m.Kind) > MaxName || len(m.Data) > MaxData {
		panic(fmt.Sprintf("rmlink: a message of %d+%d+%d bytes is too long", len(m.Name), len(m.Kind), len(m.Data)))
	}
	b = append(b, Mark, byte(m.Type), m.Status)
	b = binary.BigEndian.AppendUint32(b, m.ID)
	b = append(b, byte(len(m.Name)), byte(len(m.Kind)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.Data)))
	b = append(b, m.Name...)
	b = append(b, m.Kind...)
	return append(b, m.Data...)
}

// Decoder takes frames out of a stream of bytes that comes in pieces.
type Decoder struct{ buf []byte }

// Write adds bytes that have arrived.
func (d *Decoder) Write(p []byte) { d.buf = append(d.buf, p...) }

// Next returns the next message; false if there is not all of it yet. After an
// error, which is ErrFrame, the stream is of no use.
func (d *Decoder) Next() (m Message, ok bool, err error) {
	b := d.buf
	if len(b) < head {
		if len(b) > 0 && b[0] != Mark {
			return m, false, ErrFrame
		}
		return m, false, nil
	}
	name, kind, size := int(b[7]), int(b[8]), int(binary.BigEndian.Uint32(b[9:]))
	if b[0] != Mark || b[1] == 0 || Type(b[1]) > last || size > MaxData {
		return m, false, ErrFrame
	}
	total := head + name + kind + size
	if len(b) < total {
		return m, false, nil
	}
	m = Message{Type: Type(b[1]), Status: b[2], ID: binary.BigEndian.Uint32(b[3:])}
	b = b[head:]
	m.Name, m.Kind, m.Data = string(b[:name]), string(b[name:name+kind]), append([]byte(nil), b[name+kind:name+kind+size]...)
	d.buf = append(d.buf[:0], d.buf[total:]...)
	return m, true, nil
}
