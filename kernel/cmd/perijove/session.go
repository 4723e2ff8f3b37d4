package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/perijove/perijove/kernel/internal/output"
)

// openSession starts the live Go program that cells run in. goCommand is the
// absolute path of the toolchain's go command.
func openSession(ctx context.Context, goCommand string, log *slog.Logger) (output.Session, error) {
	return nil, errors.New("this build has no engine to run cells with")
}
