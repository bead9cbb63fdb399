// Command release makes the archives of a release: skep for Linux, Windows and macOS,
// each with licence, notices of others, README and examples, and SHA256SUMS of them all.
//
//	go run ./internal/release -o dist
//
// The same commit and the same Go give the same bytes: nothing of the machine, the
// directory or the hour is in them. It builds what is there; it tags, signs and uploads
// nothing.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const targets = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

func main() {
	out := flag.String("o", "dist", "`directory` for the archives")
	version := flag.String("version", "", "version in the archives' `name`; default: that of the commit, as skep version says it")
	list := flag.String("targets", targets, "systems to build for, as `GOOS/GOARCH`, with commas")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "release: %q: it takes flags only\n", flag.Args())
		os.Exit(2)
	}
	if err := release(*out, *version, strings.Split(*list, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release builds and packs all targets.
func release(out, version string, targets []string) error {
	stamp, err := commitTime()
	if err != nil {
		return err
	}
	common, err := commonFiles()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "skep-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var sums strings.Builder
	for _, target := range targets {
		goos, arch, ok := strings.Cut(target, "/")
		if !ok {
			return fmt.Errorf("%q is no target: write it as linux/amd64", target)
		}
		binary, found, err := buildFor(goos, arch, work)
		if err != nil {
			return err
		}
		if version == "" {
			version = found
		}
		name := fmt.Sprintf("skep_%s_%s_%s", strings.TrimPrefix(version, "v"), goos, arch)
		file, data, err := pack(name, goos, binary, common, stamp)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, file), data, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), file)
		fmt.Fprintf(os.Stderr, "%-60s %6.1f MB\n", file, float64(len(data))/1e6)
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}
