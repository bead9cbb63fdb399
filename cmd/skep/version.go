package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// versionCmd is skep version.
type versionCmd struct {
	JSON bool `name:"json" help:"Print it as JSON."`
}

func (v *versionCmd) Help() string {
	return "Example:\n  skep version\n\nA release says its tag, a build from git the commit, any other build (devel)."
}

// built-in facts about the program.
type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"` // of the commit
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	System   string `json:"system"`
}

// readVersion is what Go has put into the program when it was built.
func readVersion() versionInfo {
	v := versionInfo{Version: "(devel)", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// String is the version in one line.
func (v versionInfo) String() string {
	s := "skep " + v.Version
	if v.Commit != "" {
		s += ", commit " + v.Commit[:min(12, len(v.Commit))]
		if v.Modified {
			s += " with changes"
		}
	}
	return fmt.Sprintf("%s (%s, %s)", s, v.Go, v.System)
}

func (v *versionCmd) Run() error {
	if v.JSON {
		return writeJSON(os.Stdout, readVersion())
	}
	_, err := fmt.Println(readVersion())
	return err
}
