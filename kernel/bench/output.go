package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/perijove/perijove/internal/procfs"
	"github.com/perijove/perijove/kernel/internal/kerneltest"
)

const (
	outputBytes   = 32 << 20
	outputCode    = `line := bytes.Repeat([]byte("0123456789abcdef0123456789abcde\n"), 2048); for range %d { os.Stdout.Write(line) }`
	outputWrite   = 64 << 10 // bytes of line
	discardBytes  = 128 << 20
	messageOfText = 512 << 10 // bytes of text in a stream message when a cell prints a lot
)

// throughput measures the output rate of a cell twice: with a front end that decodes all messages, compared with a pipe between two
// programs; and with a front end that only reads, compared with encoding and signing the same text. It measures both sides of a comparison in turns.
func throughput(ctx context.Context, _ *kernel, w *tabwriter.Writer, dir string) error {
	k, err := startKernel(ctx, dir)
	if err != nil {
		return err
	}
	defer k.stop()
	if _, err := k.cell(ctx, "%output off"); err != nil {
		return err
	}
	program, binary := filepath.Join(dir, "print.go"), filepath.Join(dir, "print")
	src := "package main\n\nimport (\"bytes\"; \"os\")\n\nfunc main() { " + fmt.Sprintf(outputCode, outputBytes/outputWrite) + " }\n"
	if err := os.WriteFile(program, []byte(src), 0o644); err != nil {
		return err
	}
	if out, err := goCommand(ctx, dir, "build", "-o", binary, program).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build the program %s: %w\n%s", program, err, out)
	}
	cells, pipes, err := inTurns(5,
		func() (time.Duration, error) { return k.flood(ctx) },
		func() (time.Duration, error) { return drained(exec.CommandContext(ctx, binary)) })
	if err != nil {
		return err
	}
	row(w, fmt.Sprintf("%d MB of output", outputBytes>>20), cells, fmt.Sprintf("%.0f MB/s; a plain pipe: %.0f MB/s", rate(outputBytes, cells), rate(outputBytes, pipes)))
	return k.discarded(ctx, w)
}

// rate returns megabytes per second.
func rate(bytes int, s sample) float64 { return float64(bytes) / 1e6 / s.median().Seconds() }

// discarded measures a cell that prints to a front end that only reads.
func (k *kernel) discarded(ctx context.Context, w *tabwriter.Writer) error {
	reader, err := newDiscarder(k.connection)
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := k.client.Unsubscribe(); err != nil {
		return err
	}
	code := "{ " + fmt.Sprintf(outputCode, discardBytes/outputWrite) + " }"
	var used time.Duration // processor time of encodedAlone
	before := k.processorTime()
	cells, alone, err := inTurns(7,
		func() (time.Duration, error) { return k.floodTo(ctx, reader, code) },
		func() (time.Duration, error) {
			before := ownProcessorTime()
			d, err := encodedAlone()
			used += ownProcessorTime() - before
			return d, err
		})
	if err != nil {
		return err
	}
	ratio := (k.processorTime() - before).Seconds() / used.Seconds()
	row(w, fmt.Sprintf("%d MB to a front end that only reads", discardBytes>>20), cells, fmt.Sprintf("%.0f MB/s", rate(discardBytes, cells)))
	row(w, "  encoding/json and HMAC of the same text alone", alone, fmt.Sprintf(
		"%.0f MB/s; the cell has %.2f × the rate, kernel and worker together need %.2f × the processor time",
		rate(discardBytes, alone), alone.median().Seconds()/cells.median().Seconds(), ratio))
	return nil
}

// processorTime returns the processor time that the kernel and the processes below it have used.
func (k *kernel) processorTime() time.Duration {
	const tick = 10 * time.Millisecond
	var ticks int64
	for _, p := range procfs.Tree(procfs.Processes(os.DirFS("/")), k.cmd.Process.Pid) {
		ticks += p.Ticks
	}
	return time.Duration(ticks) * tick
}

// ownProcessorTime returns the processor time that this process has used.
func ownProcessorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// floodTo runs a cell that prints discardBytes, and returns the time until r has read all of them.
func (k *kernel) floodTo(ctx context.Context, r *discarder, code string) (time.Duration, error) {
	start := time.Now()
	id, err := k.request(code)
	if err != nil {
		return 0, err
	}
	text, err := r.untilIdle(id)
	d := time.Since(start)
	if err != nil {
		return 0, err
	}
	if text < discardBytes {
		return 0, fmt.Errorf("the kernel sent only %d of the %d bytes that the cell printed", text, discardBytes)
	}
	_, err = k.client.RecvReply(ctx, kerneltest.Shell, id)
	return d, err
}

// encodedAlone returns the time that encoding/json and HMAC need for the text of the cell, in messages of the same size.
func encodedAlone() (time.Duration, error) {
	text := strings.Repeat("0123456789abcdef0123456789abcde\n", messageOfText/32)
	start := time.Now()
	for range discardBytes / messageOfText {
		mac := hmac.New(sha256.New, []byte("bench"))
		encoder := json.NewEncoder(mac)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(map[string]string{"name": "stdout", "text": text}); err != nil {
			return 0, err
		}
		mac.Sum(nil)
	}
	return time.Since(start), nil
}

// flood runs a cell that prints outputBytes, and checks that all of them arrive.
func (k *kernel) flood(ctx context.Context) (time.Duration, error) {
	d, messages, err := k.execute(ctx, "{ "+fmt.Sprintf(outputCode, outputBytes/outputWrite)+" }")
	if err == nil {
		err = failed(messages)
	}
	if err != nil {
		return 0, err
	}
	text, err := printed(messages)
	if err == nil && len(text) != outputBytes {
		err = fmt.Errorf("the kernel sent %d bytes of output, but the cell printed %d", len(text), outputBytes)
	}
	return d, err
}

// drained runs a program and returns the time until all of its output is read.
func drained(cmd *exec.Cmd) (time.Duration, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, out)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return 0, err
	}
	if n != outputBytes {
		return 0, fmt.Errorf("the program %s printed %d bytes instead of %d", cmd.Path, n, outputBytes)
	}
	return time.Since(start), nil
}
