package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/replay"
	"github.com/skep-sim/skep/internal/world/record"
	"github.com/skep-sim/skep/internal/xbee"
)

// recordFlags have a run recorded, or a recorded one run again.
type recordFlags struct {
	Record string `help:"Record the run in a file, which skep replay shows, and runs again without anything else." placeholder:"FILE"`
	Redact bool   `help:"With --record: keep private keys (files that cannot be read back) out of the recording."`
	Replay string `help:"Run a recording again instead: without a directory, a state or a network, and with the same output." placeholder:"FILE"`
}

// recording is the recording of a run that goes on.
type recording struct {
	path     string
	file     *os.File
	recorder *record.Recorder
}

// check says what does not go together with --replay.
func (f *recordFlags) check(dir string) error {
	switch {
	case f.Redact && f.Record == "":
		return errors.New("--redact is for --record FILE")
	case f.Replay != "" && f.Record != "":
		return errors.New("--replay and --record: give one of them; a replay is the recording that there is already")
	case f.Replay != "" && dir != "":
		return fmt.Errorf("--replay %s takes the files from the recording: leave out %s", f.Replay, dir)
	}
	return nil
}

// begin makes a recorded device's configuration of c, if it is to be recorded.
func (f *recordFlags) begin(c *xbee.Config, number int, stderr io.Writer) (r *recording, err error) {
	if f.Record == "" {
		return nil, nil
	}
	r = &recording{path: f.Record}
	if number > 0 {
		r.path = fmt.Sprintf("%s.%d", f.Record, number)
	}
	// It holds what is on the module's flash, private keys among it.
	if r.file, err = os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return nil, fmt.Errorf("--record: %w", explainCreate(err, r.path))
	}
	*c, r.recorder, err = replay.Record(*c, replay.Options{To: r.file, Command: strings.Join(os.Args, " "), Redact: f.Redact})
	if err != nil {
		r.file.Close()
		return nil, fmt.Errorf("--record %s: %w", r.path, err)
	}
	if secrets := c.Flash.FS().Secrets(); len(secrets) > 0 && !f.Redact {
		fmt.Fprintf(stderr, "skep: the recording %s holds private keys (%s): keep it to yourself, or leave them out with --redact\n", r.path, strings.Join(secrets, ", "))
	}
	return r, nil
}

// explainCreate adds what to do about a file that cannot be made.
func explainCreate(err error, path string) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: make the directory %s first, or give another path", err, filepath.Dir(path))
	}
	return fmt.Errorf("%w: give the path of a file that can be written", err)
}

// statusCut is the exit status of a replay that ended where the recording was cut.
const statusCut = 3

// flush writes what has been recorded so far.
func (r *recording) flush() {
	if r == nil {
		return
	}
	if err := r.recorder.Flush(); err != nil {
		fmt.Fprintf(os.Stderr, "skep: the recording %s is not complete: %v\n", r.path, err)
	}
}

// close ends the recording.
func (r *recording) close() {
	if r == nil {
		return
	}
	r.flush()
	if err := r.file.Close(); err != nil {
		fmt.Fprintf(os.Stderr, "skep: the recording %s is not complete: %v\n", r.path, err)
	}
}

// openRecording reads a recording, and says how to make one if there is none.
func openRecording(path string) (*replay.Recording, error) {
	r, err := replay.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: give the file of a recording (make one with skep run --record FILE)", err)
	}
	return r, err
}

// again runs the recording of --replay, with the output of the recorded command. The
// error is that of the replay, or the recorded run's exit status.
func (f *recordFlags) again(out, stderr io.Writer, until time.Duration) error {
	r, err := openRecording(f.Replay)
	if err != nil {
		return err
	}
	if v := replay.Version(); r.Skep != v {
		fmt.Fprintf(stderr, "skep: %s was recorded by skep %s, and this is %s: what has changed since may make a difference\n", f.Replay, r.Skep, v)
	}
	if r.NoREPL { // as skep run has it
		out = &lines{w: out}
	}
	var lost error
	o, err := r.Run(replay.Watch{
		Output: func(b []byte) {
			if _, err := out.Write(b); err != nil && lost == nil {
				lost = err
			}
		},
		Note:  func(text string) { fmt.Fprintln(stderr, "skep:", text) },
		Until: until,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", f.Replay, err)
	}
	if lost != nil {
		return fmt.Errorf("the output of the replay was lost: %w", lost)
	}
	if o.End != nil {
		fmt.Fprintf(stderr, "skep: %s: %v; up to there all was as recorded\n", f.Replay, o.End)
		if until == 0 {
			return exitStatus(statusCut)
		}
		return nil
	}
	hash := o.Flash.Hash()
	fmt.Fprintf(stderr, "skep: replayed %v of the module's time (%d calls): the same output, memory and flash as recorded; flash %x\n",
		o.Time.Round(time.Millisecond), o.Calls, hash[:8])
	if o.Failed {
		return exitStatus(1)
	}
	return nil
}
