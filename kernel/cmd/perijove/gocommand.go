package main

import (
	"context"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/image"
)

// findGo returns the absolute path of the go command that cells are compiled with.
func findGo() (string, error) { return image.FindGo() }

// goVersion returns the version of the toolchain that a go command compiles
// cells with, like "1.26.0".
func goVersion(ctx context.Context, goCommand string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // it may be fetched
	defer cancel()
	tc, err := image.ToolchainOf(ctx, goCommand)
	return strings.TrimPrefix(tc.Version, "go"), err
}
