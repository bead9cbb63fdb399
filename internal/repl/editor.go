package repl

import (
	"bytes"
	"strconv"
)

// This file edits the line that is being typed.

// keyEnd is what readLine returns at the end of input.
const keyEnd = -2

// escape is the state inside an escape sequence.
type escape uint8

const (
	escNone escape = iota
	escBegin
	escBracket
	escDigit
	escO
)

// editor is the state of readline.c for one line.
type editor struct {
	prompt string
	orig   int // where the line begins: behind the lines before it in a block
	cursor int
	hist   int
	esc    escape
	digit  byte
}

// newLine begins another line of the same block.
func (e *editor) newLine(r *REPL, prompt string) {
	e.orig = r.line.Len()
	e.cursor = e.orig
	e.prompt = prompt
	e.hist = -1
	e.esc = escNone
	r.print(prompt)
	e.indent(r)
}

// indent types the indent of the line before, and one step more after a colon.
// After a line of blanks it leaves it at that.
func (e *editor) indent(r *REPL) {
	line := r.line.Bytes()
	n := len(line)
	if n <= 1 || line[n-1] != '\n' {
		return
	}
	start := bytes.LastIndexByte(line[:n-1], '\n') + 1
	blanks := start
	for blanks < n && line[blanks] == ' ' {
		blanks++
	}
	if start > 0 && blanks+1 == n {
		for k := start - 1; k > 0; k-- {
			if line[k-1] == '\n' {
				return
			}
			if line[k-1] != ' ' {
				break
			}
		}
	}
	steps := (blanks - start) / 4
	if line[n-2] == ':' {
		steps++
	}
	for ; steps > 0; steps-- {
		r.line.WriteString("    ")
		r.print("    ")
		e.cursor += 4
	}
}

// readLine reads until Enter (0) or a control key that is for the prompt itself.
func (r *REPL) readLine() int {
	mark := r.vm.Mark()
	for {
		c, ok := r.term.Key()
		if !ok {
			return keyEnd
		}
		ret := -1
		exc := r.vm.Try(func() { ret = r.edit.key(r, c) })
		if exc != 0 {
			r.printException(exc)
			r.line.Truncate(r.edit.orig)
			r.edit.cursor = r.edit.orig
		}
		r.vm.Release(mark)
		if ret >= 0 {
			return ret
		}
	}
}

// redraw is what a key changes on the screen.
type redraw struct {
	back, forward int
	rest          bool // what is right of the cursor must be printed again
}

// key handles one byte; it returns what readLine returns, or -1 to go on.
func (e *editor) key(r *REPL, c byte) int {
	before := r.line.Len()
	var d redraw
	switch e.esc {
	case escNone:
		if ret, done := e.plainKey(r, c, &d); done {
			return ret
		}
	case escBegin:
		switch c {
		case '[':
			e.esc = escBracket
		case 'O':
			e.esc = escO
		default:
			e.esc = escNone
		}
	case escBracket:
		if '0' <= c && c <= '9' {
			e.esc, e.digit = escDigit, c
			break
		}
		e.esc = escNone
		e.arrow(r, c, &d)
	case escDigit:
		if c == '~' {
			e.numbered(r, &d)
		}
		e.esc = escNone
	case escO:
		e.esc = escNone
		if c == 'H' || c == 'F' {
			e.arrow(r, c, &d)
		}
	}
	e.show(r, d, before)
	return -1
}

// plainKey handles a byte outside escape sequences; done tells that the line is
// finished or left.
func (e *editor) plainKey(r *REPL, c byte, d *redraw) (ret int, done bool) {
	line := r.line
	switch {
	case ctrlA <= c && c <= ctrlE && line.Len() == e.orig:
		return int(c), true
	case (c == ctrlF || c == ctrlR) && r.conf.Flash != nil && line.Len() == 0:
		return int(c), true
	case c == ctrlA:
		d.back = e.cursor - e.orig
	case c == ctrlC:
		return int(c), true
	case c == ctrlE:
		d.forward = line.Len() - e.cursor
	case c == '\r':
		r.print("\r\n")
		line.Terminate()
		r.remember(line.Bytes()[e.orig:])
		return 0, true
	case c == 27:
		e.esc = escBegin
	case c == 8 || c == 127:
		e.erase(r, d)
	case c == 9:
		e.complete(r, d)
	case 32 <= c && c <= 126:
		line.Insert(e.cursor, c)
		d.rest, d.forward = true, 1
	case r.vm.Options().EmacsKeys:
		e.emacs(r, c, d)
	}
	return 0, false
}

// emacs handles the keys of MICROPY_REPL_EMACS_KEYS.
func (e *editor) emacs(r *REPL, c byte, d *redraw) {
	switch c {
	case ctrlB:
		e.arrow(r, 'D', d)
	case ctrlD:
		e.digit = '3'
		e.numbered(r, d)
	case 6:
		e.arrow(r, 'C', d)
	case 11:
		r.line.Truncate(e.cursor)
		d.rest = true
	case 14:
		e.arrow(r, 'B', d)
	case 16:
		e.arrow(r, 'A', d)
	case 21:
		r.line.Cut(e.orig, e.cursor-e.orig)
		d.back, d.rest = e.cursor-e.orig, true
	}
}

// erase removes what is left of the cursor: one character, or four blanks where
// there is nothing but blanks.
func (e *editor) erase(r *REPL, d *redraw) {
	if e.cursor <= e.orig {
		return
	}
	n := 0
	for _, c := range r.line.Bytes()[e.orig:e.cursor] {
		if c != ' ' {
			n = 0
			break
		}
		n++
	}
	if n < 4 {
		n = 1
	} else {
		n = 4
	}
	r.line.Cut(e.cursor-n, n)
	d.back, d.rest = n, true
}

// arrow handles the key that ESC [ names with a letter.
func (e *editor) arrow(r *REPL, c byte, d *redraw) {
	switch c {
	case 'A':
		if e.hist+1 < historySize && r.history[e.hist+1] != 0 {
			e.hist++
			e.recall(r, d)
		}
	case 'B':
		if e.hist >= 0 {
			e.hist--
			e.recall(r, d)
		}
	case 'C':
		if e.cursor < r.line.Len() {
			d.forward = 1
		}
	case 'D':
		if e.cursor > e.orig {
			d.back = 1
		}
	case 'H':
		d.back = e.cursor - e.orig
	case 'F':
		d.forward = r.line.Len() - e.cursor
	}
}

// numbered handles the keys that ESC [ names with a digit and ~.
func (e *editor) numbered(r *REPL, d *redraw) {
	switch e.digit {
	case '1', '7':
		d.back = e.cursor - e.orig
	case '4', '8':
		d.forward = r.line.Len() - e.cursor
	case '3':
		if e.cursor < r.line.Len() {
			r.line.Cut(e.cursor, 1)
			d.rest = true
		}
	}
}

// recall replaces the line by the one of the history at hist (-1: by nothing).
func (e *editor) recall(r *REPL, d *redraw) {
	r.line.Truncate(e.orig)
	if e.hist >= 0 {
		r.line.Write(r.historyLine(e.hist))
	}
	d.back, d.rest = e.cursor-e.orig, true
	d.forward = r.line.Len() - e.orig
}

// show brings the screen up to date.
func (e *editor) show(r *REPL, d redraw, before int) {
	if d.back > 0 {
		r.back(d.back)
		e.cursor -= d.back
	}
	line := r.line.Bytes()
	switch {
	case d.rest:
		if len(line) < before {
			r.print("\x1b[K")
		}
		r.term.Write(line[e.cursor:])
		r.back(len(line) - (e.cursor + d.forward))
		e.cursor += d.forward
	case d.forward > 0:
		r.term.Write(line[e.cursor : e.cursor+d.forward])
		e.cursor += d.forward
	}
}

// back moves the cursor left.
func (r *REPL) back(n int) {
	if n <= 4 {
		r.print("\b\b\b\b"[:n])
		return
	}
	r.print("\x1b[" + strconv.Itoa(n) + "D")
}

// remember puts a line into the history, unless it is empty or the newest. The
// copy lies on the heap, with a NUL behind it; without memory it is forgotten.
func (r *REPL) remember(line []byte) {
	if i := bytes.IndexByte(line, 0); i >= 0 {
		line = line[:i]
	}
	if len(line) == 0 || r.history[0] != 0 && bytes.Equal(r.historyLine(0), line) {
		return
	}
	p := r.vm.TryAlloc(uint32(len(line)) + 1)
	if p == 0 {
		return
	}
	copy(r.vm.Bytes[p:], line)
	r.vm.Bytes[int(p)+len(line)] = 0
	copy(r.history[1:], r.history[:historySize-1])
	r.history[0] = p
}

func (r *REPL) historyLine(i int) []byte {
	b := r.vm.Bytes[r.history[i]:]
	return b[:bytes.IndexByte(b, 0)]
}
