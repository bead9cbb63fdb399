package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// stateHome is where the state of this user's devices and cloud lives.
func stateHome() (string, error) {
	// A relative path there is to be ignored, says the XDG specification.
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "skep"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w: set HOME or XDG_STATE_HOME, or name a directory with --state", err)
	}
	return filepath.Join(home, ".local", "state", "skep"), nil
}

// deviceState is the state directory of the device of one application and model,
// unless one is named.
func deviceState(named, app, dir, model string) (string, error) {
	if named != "" {
		return named, nil
	}
	home, err := stateHome()
	if err != nil {
		return "", err
	}
	name := app + "-" + model
	if dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256([]byte(abs))
		name += "-" + hex.EncodeToString(sum[:4])
	}
	return filepath.Join(home, "devices", name), nil
}

// cloudState is the state directory of the local AWS IoT, unless one is named.
func cloudState(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	home, err := stateHome()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, "cloud"), nil
}
