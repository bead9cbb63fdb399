package deploy

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/host/files"
	"github.com/skep-sim/skep/internal/host/link"
)

// recordName is the file on the module in which a deployment notes what it has
// put there, so that the next one knows which files were its own.
const recordName = "skep-deployed.txt"

const recordHead = "deployed by skep; which files are its own, for the next time"

// record is what an earlier deployment has noted.
type record struct {
	files      map[string]string // path in lower case to SHA-256
	bundleHash string
	bundled    []string
}

// readRecord reads the record. One that makes no sense is as none.
func (d *deployment) readRecord() (record, error) {
	data, err := d.fs.Get(recordName, nil)
	if err != nil {
		var refused *link.CommandError
		if errors.As(err, &refused) {
			return record{}, nil
		}
		return record{}, err
	}
	return parseRecord(string(data)), nil
}

func parseRecord(text string) record {
	r := record{files: map[string]string{}}
	sc := bufio.NewScanner(strings.NewReader(text))
	for sc.Scan() {
		word, rest, ok := strings.Cut(sc.Text(), " ")
		switch {
		case !ok:
		case word == "bundle":
			words := strings.Fields(rest)
			if len(words) > 0 {
				r.bundleHash, r.bundled = words[0], words[1:]
			}
		case len(word) == 2*sha256.Size:
			r.files[strings.ToLower(rest)] = word
		}
	}
	return r
}

func (r record) String() string {
	var b strings.Builder
	b.WriteString(recordHead + "\n")
	var names []string
	for p := range r.files {
		names = append(names, p)
	}
	slices.Sort(names)
	for _, p := range names {
		fmt.Fprintf(&b, "%s %s\n", r.files[p], p)
	}
	if r.bundleHash != "" {
		fmt.Fprintf(&b, "bundle %s %s\n", r.bundleHash, strings.Join(r.bundled, " "))
	}
	return b.String()
}

// note writes the record.
func (d *deployment) note() error {
	r := record{files: map[string]string{}}
	for _, f := range d.o.Files {
		r.files[strings.ToLower(f.Path)] = fmt.Sprintf("%x", sha256.Sum256(f.Data))
	}
	for _, s := range d.r.Left { // still there, still ours
		if sum := d.plan.record.files[strings.ToLower(s.Path)]; sum != "" {
			r.files[strings.ToLower(s.Path)] = sum
		}
	}
	if d.o.Bundling == MakeBundle {
		hash, err := d.bundleHash()
		if err != nil {
			return err
		}
		what, err := d.bundled()
		if err != nil {
			return err
		}
		r.bundleHash, r.bundled = hash, what
	}
	text := r.String()
	if d.plan.record.files != nil && d.plan.record.String() == text {
		return nil
	}
	err := d.fs.Put(recordName, []byte(text), false, nil)
	if files.Word(err) == "ENOSPC" {
		d.log("there is no room for the record of what was deployed (%s)", recordName)
		return nil
	}
	return err
}
