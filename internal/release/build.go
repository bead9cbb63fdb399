package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// buildFor builds skep for a system. The version is the one that the program has in it.
func buildFor(goos, arch, work string) (binary []byte, version string, err error) {
	path := filepath.Join(work, goos+"_"+arch)
	build := func(vcs string) ([]byte, error) {
		c := exec.Command("go", "build", "-trimpath", "-buildvcs="+vcs, "-ldflags=-s -w -buildid=", "-o", path, "./cmd/skep")
		c.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
		return c.CombinedOutput()
	}
	text, err := build("auto")
	if err != nil && strings.Contains(string(text), "-buildvcs=false") {
		text, err = build("false") // git does not want to say, as in a directory of somebody else's
	}
	if err != nil {
		return nil, "", fmt.Errorf("go build for %s/%s: %w\n%s", goos, arch, err, text)
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	version = info.Main.Version
	if version == "" || version == "(devel)" {
		version = "devel"
	}
	binary, err = os.ReadFile(path)
	return binary, strings.ReplaceAll(version, "+", "-"), err
}

// commitTime is the time that all files of the archives have: SOURCE_DATE_EPOCH, or the
// commit's, or a fixed one where there is no git.
func commitTime() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), nil
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %q is no number of seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// commonFiles are the files that are in every archive besides the program.
func commonFiles() ([]file, error) {
	var files []file
	for _, name := range []string{"LICENSE", "README.md"} {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%w: run it in the project's directory", err)
		}
		files = append(files, file{name, data, false})
	}
	notices, err := notices()
	if err != nil {
		return nil, err
	}
	files = append(files, file{"NOTICES.txt", notices, false})
	err = filepath.WalkDir("examples", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		files = append(files, file{filepath.ToSlash(p), data, false})
		return err
	})
	return files, err
}

// notices are the licences of what is in the program and is not ours: Go, and the
// modules that it is built with, as they want to be told along.
func notices() ([]byte, error) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", "./cmd/skep").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	lines = append([]string{"The Go programming language\t\t" + strings.TrimSpace(string(goroot))}, slices.Compact(lines)...)
	var b strings.Builder
	b.WriteString("skep is made with the following, whose licences say:\n")
	for _, line := range lines {
		f := strings.Split(line, "\t")
		if len(f) != 3 {
			continue
		}
		text, err := licence(f[2])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f[0], err)
		}
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("-", 72), strings.TrimSpace(f[0]+" "+f[1]), strings.TrimSpace(text))
	}
	return []byte(b.String()), nil
}

// licence is the text of the licence of what lies in a directory.
func licence(dir string) (string, error) {
	for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING", "License"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			return string(text), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	// Distributions of Go keep theirs elsewhere; it is that of the x packages.
	if text, err := os.ReadFile(filepath.Join(dir, "src", "vendor", "LICENSE")); err == nil {
		return string(text), nil
	}
	if _, err := os.Stat(filepath.Join(dir, "VERSION")); err == nil {
		return "Copyright 2009 The Go Authors, BSD-3-Clause: https://go.dev/LICENSE", nil
	}
	return "", fmt.Errorf("there is no licence in %s", dir)
}
