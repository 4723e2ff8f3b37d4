package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
)

// openSession starts a session in folder dir.
func openSession(ctx context.Context, dir string) (output.Session, error) {
	goCommand, err := findGo()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	if level := os.Getenv(logEnv); level != "" {
		log = newLog(os.Stderr, level)
	}
	return newSession(ctx, goCommand, dir, "", os.Stderr, log)
}

// newSession opens the worker image for goCommand's toolchain and starts a session in folder
// dir. If the image must be built it writes lines about the build to progress.
func newSession(ctx context.Context, goCommand, dir, kernelID string, progress io.Writer, log *slog.Logger) (output.Session, error) {
	img, err := openImage(ctx, goCommand, progress, false)
	if err != nil {
		return nil, err
	}
	return session.New(session.Config{Image: img, Dir: dir, KernelID: kernelID, Log: log, Export: exportCells})
}

func openImage(ctx context.Context, goCommand string, progress io.Writer, again bool) (*image.Image, error) {
	return image.Open(ctx, image.Options{
		Go: goCommand, Source: perijove.Source, Again: again,
		Log: func(s string) { fmt.Fprintln(progress, s) },
	})
}
