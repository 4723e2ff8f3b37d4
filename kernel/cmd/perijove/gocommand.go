package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/image"
)

// findGo returns the absolute path of the go command that cells are compiled with.
func findGo() (string, error) { return image.FindGo() }

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
