package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/server"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
	"github.com/spf13/cobra"
)

func newKernelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "kernel FILE",
		Short: "Serve one notebook (started by Jupyter)",
		Long: `Kernel serves the sockets of the connection file FILE until a front end shuts it
down, SIGTERM arrives or the Jupyter that started it has ended. The kernelspec
starts it; there is no need to call it by hand.

It writes warnings and errors to standard error. PERIJOVE_LOG=info or
PERIJOVE_LOG=debug in its environment makes it write more.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runKernel(cmd.Context(), args[0], cmd.ErrOrStderr())
		},
	}
}

func runKernel(ctx context.Context, connectionFile string, stderr io.Writer) error {
	log := newLog(stderr, os.Getenv(logEnv))
	connection, err := transport.ReadConnection(connectionFile)
	if err != nil {
		return err
	}
	life, end := newLifetime(ctx, log)
	defer end()
	goCommand, version, problem := toolchain(ctx)
	session := openLater(life.Context, func(ctx context.Context, progress io.Writer) (output.Session, error) {
		if problem != nil {
			return nil, problem
		}
		defer time.AfterFunc(startTrimDelay, func() { trimAfterStart(log) })
		return newSession(ctx, goCommand, "", kernelID(connectionFile), io.MultiWriter(stderr, progress), log)
	})
	trimmed := &trimmedSession{Session: session, release: func() { releaseFilePages(log) }, delay: idleTrimDelay}
	return serve(life, connection, trimmed, version, log)
}

// logEnv is the environment variable with the level of logging.
const logEnv = "PERIJOVE_LOG"

// newLog returns a log with messages of at least a level, by default warnings and errors.
func newLog(w io.Writer, level string) *slog.Logger {
	least := slog.LevelWarn
	var err error
	if level != "" {
		err = least.UnmarshalText([]byte(level)) // does not change least on error
	}
	log := slog.New(server.Throttle(slog.NewTextHandler(w, &slog.HandlerOptions{Level: least})))
	if err != nil {
		log.Warn("unknown log level", "variable", logEnv, "value", level, "known", "debug, info, warn, error")
	}
	return log
}

// kernelID returns Jupyter's identifier of a kernel, which is in the name of its connection
// file.
func kernelID(connectionFile string) string {
	name := strings.TrimSuffix(filepath.Base(connectionFile), ".json")
	return strings.TrimPrefix(name, "kernel-")
}

// toolchain returns the go command and its version. After an error the version is
// "unknown". The kernel still serves front ends, so that they can show the error to the
// user.
func toolchain(ctx context.Context) (goCommand, version string, err error) {
	if goCommand, err = findGo(); err != nil {
		return "", "unknown", err
	}
	if version, err = cachedGoVersion(ctx, goCommand); err != nil {
		return "", "unknown", err
	}
	return goCommand, version, nil
}

// serve answers front ends until the kernel's lifetime ends.
func serve(life *lifetime, c transport.Connection, session output.Session, goVersion string, log *slog.Logger) error {
	signer, err := wire.NewSigner(c.SignatureScheme, c.Key)
	if err != nil {
		session.Close()
		return err
	}
	if c.Key == "" {
		log.Warn("the connection file has no key: messages are not signed, and every process that can connect to the ports can run code")
	}
	s := server.New(server.Config{Session: session, Signer: signer, GoVersion: goVersion, Log: log})
	t, err := transport.Listen(c, transport.DefaultLimits(), s, log)
	if err != nil {
		session.Close()
		return fmt.Errorf("cannot open the sockets that the connection file names: %w", err)
	}
	life.onInterrupt(s.Interrupt)
	log.Info("serving", "pid", os.Getpid(), "shell", t.Connection().Endpoint(t.Connection().ShellPort))
	return s.Serve(life, t)
}
