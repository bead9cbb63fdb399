package files

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/host/link"
)

// promptWait is how long the byte behind the prompt of ATFS GET may take.
const promptWait = time.Second

// Word is the name of the error that a module answered with, "ENOENT"; "" if err
// is none of those.
func Word(err error) string {
	var c *link.CommandError
	if !errors.As(err, &c) {
		return ""
	}
	word, _, _ := strings.Cut(c.Answer, " ")
	return word
}

// ways is what to do about the module's errors.
var ways = map[string]string{
	"ENOENT":    "there is no such file or directory on the module",
	"EEXIST":    "there is a file of that name on the module already",
	"ENOSPC":    "the module's flash is full: skep fs df shows how full, skep fs rm makes room",
	"EISDIR":    "that is a directory",
	"ENOTDIR":   "that is no directory",
	"EPERM":     "the module does not allow it: a secure file can be used and replaced, but not read",
	"EACCES":    "the module does not allow it: a secure file can be used and replaced, but not read",
	"EBUSY":     "the module is using it",
	"EINVAL":    "the module does not accept the name",
	"ENOTEMPTY": "the directory is not empty: skep fs rm -r removes it with what is in it",
}

// explain names the file, and what the module's word means.
func explain(name string, err error) error {
	if err == nil {
		return nil
	}
	if way, ok := ways[Word(err)]; ok {
		return fmt.Errorf("%s: %s (%w)", name, way, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}
