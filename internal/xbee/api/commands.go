package api

import (
	"errors"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/at"
)

// This file is frames 08, 09 and 88: AT commands.

// Status of frame 88. 4, a failed transmission, is of commands to other modules.
const (
	atOK        = 0
	atError     = 1
	atUnknown   = 2
	atParameter = 3
)

// commands are those that wait for one that takes long.
type commands struct {
	busy    bool
	waiting []command
}

type command struct {
	id    byte
	name  string
	param []byte
	queue bool
}

// maxCommands is how many commands wait; what comes then fails. A choice.
const maxCommands = 32

// takesLong lists the commands that wait for the network or the modem: while one
// of them is under way, those that come wait their turn.
func takesLong(name string) bool {
	switch strings.ToUpper(name) {
	case "LA", "SD", "PG", "NR":
		return true
	}
	return false
}

// command carries a command out, or has it wait.
func (a *API) command(d []byte, queue bool) {
	c := command{d[1], string(d[2:4]), d[4:], queue}
	switch q := &a.commands; {
	case q.busy && len(q.waiting) >= maxCommands:
		a.answer(c, nil, at.ErrFailed)
	case q.busy:
		c.param = append([]byte(nil), c.param...)
		q.waiting = append(q.waiting, c)
	case takesLong(c.name):
		c.param = append([]byte(nil), c.param...)
		q.busy = true
		q.waiting = append(q.waiting, c)
		a.conf.Go("api command", a.carryOut)
	default:
		a.execute(c)
	}
}

// carryOut is the job that carries out what waits.
func (a *API) carryOut() {
	q := &a.commands
	defer func() { q.busy = false }()
	for len(q.waiting) > 0 {
		c := q.waiting[0]
		q.waiting = q.waiting[1:]
		a.execute(c)
	}
}

func (a *API) execute(c command) {
	answer, err := a.conf.Registers.Frame(c.name, c.param, c.queue)
	a.answer(c, answer, err)
}

// answer sends frame 88. What cannot be read back is answered by nothing.
func (a *API) answer(c command, value []byte, err error) {
	status := byte(atOK)
	switch {
	case err == nil, errors.Is(err, at.ErrHidden):
	case errors.Is(err, at.ErrUnknown):
		status = atUnknown
	case errors.Is(err, at.ErrValue):
		status = atParameter
	default:
		status = atError
	}
	if status != atOK {
		a.note("API frame: " + err.Error())
	}
	if c.id == 0 {
		return
	}
	b := []byte{frameATResponse, c.id, c.name[0], c.name[1], status}
	if status == atOK {
		b = append(b, value...)
	}
	a.sendFrame(b)
}
