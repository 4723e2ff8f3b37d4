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
	return versionFrom(ctx, goCommand, image.ToolchainOf)
}

// cachedGoVersion is like goVersion, but runs the go command, which takes 15 ms, only if the
// version is not cached.
func cachedGoVersion(ctx context.Context, goCommand string) (string, error) {
	return versionFrom(ctx, goCommand, image.CachedToolchainOf)
}

func versionFrom(ctx context.Context, goCommand string, toolchainOf func(context.Context, string) (image.Toolchain, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // the go command may download the toolchain
	defer cancel()
	tc, err := toolchainOf(ctx, goCommand)
	return strings.TrimPrefix(tc.Version, "go"), err
}
