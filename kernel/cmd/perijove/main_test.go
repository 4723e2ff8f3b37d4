package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
	"github.com/perijove/perijove/kernel/internal/server"
	"github.com/perijove/perijove/kernel/internal/transport"
)

// fakeKernel is an environment variable that makes the test binary a kernel whose cells are
// scripts for kerneltest.Fake. The argument of the binary is the connection file.
const fakeKernel = "PERIJOVE_TEST_FAKE_KERNEL"

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(fakeKernel) != "":
		err = serveFake(os.Args[1])
	case os.Getenv(realKernel) != "":
		answerCensus(os.Getenv(realKernel))
		err = newCommand().Execute()
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serveFake(connectionFile string) error {
	log := slog.New(server.Throttle(slog.NewTextHandler(os.Stderr, nil)))
	c, err := transport.ReadConnection(connectionFile)
	if err != nil {
		return err
	}
	life, end := newLifetime(context.Background(), log)
	defer end()
	return serve(life, c, kerneltest.NewFake(), "1.26.0", log)
}
