package deploy

import (
	"errors"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

// finish switches autostart on, for good.
func (d *deployment) finish() error {
	want := uint64(1)
	if d.o.KeepAutostart {
		want = d.ps
	}
	return d.savePS(want)
}

// start starts the application, and waits for its first line.
func (d *deployment) start() error {
	switch d.o.Restart {
	case Stay:
		return nil
	case Reset:
		return d.reset()
	}
	if err := d.s.Prompt(); err != nil {
		return err
	}
	d.log("starting the application")
	d.s.Reboot()
	err := d.listen()
	return errors.Join(err, d.s.PutBack("AP"))
}

// reset restarts the whole module. The modem would rather be shut down before; the
// firmware of early 2019 cannot.
func (d *deployment) reset() error {
	d.log("shutting the modem down")
	var refused *link.CommandError
	if err := d.s.Do("SD"); err != nil && !errors.As(err, &refused) {
		return err
	}
	d.log("resetting the module")
	if err := d.s.ResetModule(); err != nil {
		return err
	}
	if d.s.Mode != 4 {
		d.log("its serial port shows no output (ATAP is %X), so there is no first line to wait for", d.s.Mode)
		return nil
	}
	return d.listen()
}

// Lines of a start (device-facts.md 2.3).
const (
	running    = "Running bytecode..."
	softReboot = "soft reboot"
	maxReboots = 5 // of a program that restarts again and again
	maxLines   = 200
)

// listen reads what the module says from its restart to the program's first line.
func (d *deployment) listen() error {
	end := world.Uptime(d.o.Clock) + d.o.Wait
	started, reboots := false, 0
	bundling := ""
	for range maxLines {
		line, ok := d.s.ReadLine(end - world.Uptime(d.o.Clock))
		if !ok {
			d.log("it has printed nothing for %v", d.o.Wait)
			return d.s.Line().Err()
		}
		switch {
		case strings.HasPrefix(line, running):
			started = true
		case strings.TrimSpace(line) == softReboot:
			started = false
			if reboots++; reboots > maxReboots {
				d.r.Output = append(d.r.Output, "(it restarts again and again)")
				return &StartError{d.r.Output}
			}
		case strings.HasPrefix(line, ">>> ") || line == ">>>":
			if started {
				d.log("the program has ended")
				return nil
			}
		case strings.HasPrefix(line, "Traceback"): // before it runs, if it does not compile
			return &StartError{append(d.r.Output, d.rest(line)...)}
		case !started || line == "":
		case strings.HasPrefix(line, "bundling ") && !strings.HasSuffix(line, "bytes of raw code"):
			bundling = line
			d.r.Output = append(d.r.Output, line)
		default:
			d.r.Output = append(d.r.Output, line)
			if d.quietBundling(line) {
				continue
			}
			if bundling != "" {
				return &StartError{d.r.Output}
			}
			return nil
		}
	}
	return nil
}

// quietBundling tells the lines of an application that bundles when it starts: it
// restarts behind them, and says more.
func (d *deployment) quietBundling(line string) bool {
	for _, begin := range [...]string{"Bundling ", "bundling ", "Used ", "stack: ", "GC: ", " No. of ", "Embedded ", "Bundle is ", "Removing "} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}

// rest is a traceback to its end.
func (d *deployment) rest(first string) []string {
	lines := []string{first}
	for range maxLines {
		line, ok := d.s.ReadLine(time.Second)
		if !ok || strings.HasPrefix(line, ">>> ") {
			break
		}
		lines = append(lines, line)
	}
	return lines
}
