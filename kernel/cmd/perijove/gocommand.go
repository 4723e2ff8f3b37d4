package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// findGo returns the absolute path of the go command that cells are compiled
// with: $PERIJOVE_GO, which the kernelspec sets, else the one on PATH.
func findGo() (string, error) {
	name := os.Getenv("PERIJOVE_GO")
	if name == "" {
		name = "go"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("cannot find the go command %q: install Go from https://go.dev/dl and put it on your PATH, or set PERIJOVE_GO to its path", name)
	}
	return filepath.Abs(path)
}

// goVersion asks a go command for its version, like "1.26.0". It is asked from
// the root folder, so that no go.mod around can choose another toolchain.
func goVersion(ctx context.Context, goCommand string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, goCommand, "env", "GOVERSION")
	cmd.Dir = string(filepath.Separator)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("%s env GOVERSION: %w", goCommand, err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "go"), nil
}
