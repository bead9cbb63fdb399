package build

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// format is the version of the manifest's form; another one is not read.
const format = 1

// Manifest is the record of a layout that is kept beside its files: it says what
// belongs on the module, down to the byte, and nothing of when or where it was made.
type Manifest struct {
	Format     int             `json:"format"`
	Compiler   int             `json:"compiler"` // compilerRevision
	App        string          `json:"app"`
	MpyVersion int             `json:"mpyVersion"`
	Plain      bool            `json:"plain,omitempty"`
	Files      []ManifestEntry `json:"files"` // sorted by path
}

// ManifestEntry is one file.
type ManifestEntry struct {
	Path         string `json:"path"` // on the module
	SHA256       string `json:"sha256"`
	Size         int    `json:"size"`
	Secure       bool   `json:"secure,omitempty"`
	Source       string `json:"source"`
	SourceSHA256 string `json:"sourceSha256,omitempty"`
}

// Manifest is the layout's.
func (l *Layout) Manifest() Manifest {
	m := Manifest{Format: format, Compiler: compilerRevision, App: l.App, MpyVersion: l.MpyVersion, Plain: l.Plain}
	for i := range l.Files {
		f := &l.Files[i]
		m.Files = append(m.Files, ManifestEntry{f.Path, f.SHA256, f.Size(), f.Secure, f.Source, f.SourceSHA256})
	}
	return m
}

// Marshal is the manifest as a file.
func (m Manifest) Marshal() []byte {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // strings, numbers and booleans
	}
	return append(b, '\n')
}

// ReadManifest reads what Marshal wrote. What it returns names no file outside of
// the directory that it lies in.
func ReadManifest(data []byte) (Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("this is no manifest of skep build: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return m, errors.New("something follows the manifest")
	}
	if m.Format != format {
		return m, fmt.Errorf("the manifest has format %d and this skep reads %d: remove the directory and build again", m.Format, format)
	}
	seen := map[string]bool{}
	for _, e := range m.Files {
		local, ok := strings.CutPrefix(e.Path, Root+"/")
		if !ok {
			return m, fmt.Errorf("the manifest lists %q, which is not below %s", e.Path, Root)
		}
		if err := CheckName(local); err != nil {
			return m, fmt.Errorf("the manifest lists a wrong path: %w", err)
		}
		lower := strings.ToLower(e.Path)
		if seen[lower] {
			return m, fmt.Errorf("the manifest lists %s twice", e.Path)
		}
		seen[lower] = true
		if e.Size < 0 {
			return m, fmt.Errorf("the manifest gives %s %d bytes", e.Path, e.Size)
		}
	}
	return m, nil
}
