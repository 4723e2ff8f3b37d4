package main

import (
	"context"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/image"
)

// findGo returns the absolute path of the go command with which cells are compiled.
func findGo() (string, error) { return image.FindGo() }

// goVersion returns the version of the toolchain with which a go command compiles cells, like
// "1.26.0".
func goVersion(ctx context.Context, goCommand string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // the go command may download the toolchain
	defer cancel()
	tc, err := image.ToolchainOf(ctx, goCommand)
	return strings.TrimPrefix(tc.Version, "go"), err
}
