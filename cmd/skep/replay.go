package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/replay"
)

// replayCmd is skep replay.
type replayCmd struct {
	Again bool          `name:"run" help:"Run it again, and compare: the output on stdout, the exit status that of the recorded run."`
	To    time.Duration `help:"End at this time of the module's: 1m30s." placeholder:"TIME"`
	From  time.Duration `help:"Begin the list at this time." placeholder:"TIME"`
	Kind  []string      `help:"List only these kinds of rows, separated by commas." placeholder:"KIND"`
	Find  string        `help:"List only rows that contain a text." placeholder:"TEXT"`
	Bytes bool          `help:"Show all bytes that moved, not only the first of them."`
	JSON  bool          `name:"json" help:"A line of JSON for each row."`

	File string `arg:"" help:"The recording."`
}

func (r *replayCmd) Help() string {
	var kinds strings.Builder
	for _, k := range replay.RowKinds() {
		fmt.Fprintf(&kinds, "  %-11s %s\n", k[0], k[1])
	}
	return "Example:\n  skep run --record bug.skep app\n  skep replay bug.skep --kind connect,exception,boot\n  skep replay bug.skep --run --to 30s\n\n" +
		"A recording is a whole run: what the module was made of, what was on its flash, and all\nthat it took from its world. --run repeats it without any of that, and says where it differs\n" +
		"if it does. The exit status is 3 if the recording was cut short, which is repeated as far as\nit goes (0 with --to). The kinds of rows:\n" + kinds.String()
}

func (r *replayCmd) check() error {
	var names []string
	for _, k := range replay.RowKinds() {
		names = append(names, k[0])
	}
	for _, k := range r.Kind {
		if !slices.Contains(names, k) {
			return fmt.Errorf("--kind %s: the kinds are %s", k, strings.Join(names, ", "))
		}
	}
	switch {
	case r.To < 0 || r.From < 0:
		return errors.New("--from and --to are times since the module was powered on: 1m30s")
	case r.Again && (r.From != 0 || len(r.Kind) > 0 || r.Find != "" || r.JSON || r.Bytes):
		return errors.New("--from, --kind, --find, --bytes and --json are for the list: leave them out with --run")
	}
	return nil
}

func (r *replayCmd) Run() error {
	if err := r.check(); err != nil {
		return err
	}
	if r.Again {
		f := recordFlags{Replay: r.File}
		return f.again(os.Stdout, os.Stderr, r.To)
	}
	rec, err := openRecording(r.File)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	if !r.JSON {
		describe(out, rec)
	}
	for row := range rec.Timeline() {
		if row.Time < r.From || r.To > 0 && row.Time > r.To || len(r.Kind) > 0 && !slices.Contains(r.Kind, row.Kind) {
			continue
		}
		if r.Find != "" && !strings.Contains(row.Text, r.Find) && !strings.Contains(string(row.Data), r.Find) && !strings.Contains(row.Peer, r.Find) {
			continue
		}
		if r.JSON {
			err = r.object(out, row)
		} else {
			_, err = fmt.Fprintf(out, "%12.6f  %-10s  %s\n", row.Time.Seconds(), row.Kind, r.text(row))
		}
		if err != nil {
			return fmt.Errorf("writing the list: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the list: %w", err)
	}
	if !rec.Log.Whole {
		why := "the run was still going on, or skep was ended"
		if rec.Log.Cut != nil {
			why = rec.Log.Cut.Error()
		}
		fmt.Fprintf(os.Stderr, "skep: %s does not hold the end of the run: %s\n", r.File, why)
	}
	return nil
}

// describe says what the recording is of.
func describe(w io.Writer, r *replay.Recording) {
	clock := "the host's clock"
	if r.Log.Virtual {
		clock = "a virtual clock that began at " + r.Log.Start.Format(time.DateTime)
	}
	fmt.Fprintf(w, "recorded by skep %s: %s\nmodule: %s, firmware %s, on %s, for %v\n", r.Skep, r.Command, r.Profile.Model, r.Profile.Digits(), clock, r.Log.Duration().Round(time.Millisecond))
	if r.Redacted {
		fmt.Fprintln(w, "private keys are not in it")
	}
	fmt.Fprintln(w)
}

// shown is how many bytes of a row are shown unless all are wanted.
const shown = 100

func (r *replayCmd) text(row replay.Row) string {
	text := row.Text
	if row.Data == nil {
		if row.Peer != "" && !strings.Contains(text, row.Peer) {
			text = row.Peer + ": " + text
		}
		return text
	}
	if strings.HasPrefix(row.Kind, "net") {
		text = row.Peer + ": "
	}
	if row.Kind != replay.RowSerialOut {
		text += fmt.Sprintf("%d bytes ", len(row.Data))
	}
	if len(row.Data) > shown && !r.Bytes {
		return text + fmt.Sprintf("%q...", row.Data[:shown])
	}
	return text + fmt.Sprintf("%q", row.Data)
}

// object writes a row as a line of JSON.
func (r *replayCmd) object(w io.Writer, row replay.Row) error {
	o := struct {
		Time float64 `json:"time"` // seconds
		Call uint64  `json:"call"`
		Kind string  `json:"kind"`
		Peer string  `json:"peer,omitempty"`
		Text string  `json:"text,omitempty"`
		Size int     `json:"size,omitempty"`
		Data string  `json:"data,omitempty"` // each byte a character up to U+00FF
	}{row.Time.Seconds(), row.Call, row.Kind, row.Peer, row.Text, len(row.Data), ""}
	data := row.Data
	if len(data) > shown && !r.Bytes {
		data = data[:shown]
	}
	chars := make([]rune, len(data))
	for i, c := range data {
		chars[i] = rune(c)
	}
	o.Data = string(chars)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(o)
}
