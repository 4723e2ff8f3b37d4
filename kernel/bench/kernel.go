package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
	"github.com/perijove/perijove/kernel/internal/transport"
)

// A kernel is a kernel process and a front end connected to it.
type kernel struct {
	cmd        *exec.Cmd
	client     *kerneltest.Client
	readyAfter time.Duration // from the start of the process to its first answer
}

var program struct {
	once sync.Once
	path string
	err  error
}

// buildProgram builds perijove once.
func buildProgram(ctx context.Context) (string, error) {
	program.once.Do(func() {
		program.path = filepath.Join(os.TempDir(), fmt.Sprintf("perijove-bench-%d", os.Getpid()))
		out, err := exec.CommandContext(ctx, "go", "build", "-o", program.path, "github.com/perijove/perijove/kernel/cmd/perijove").CombinedOutput()
		if err != nil {
			program.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	return program.path, program.err
}

func startKernel(ctx context.Context, dir string) (*kernel, error) {
	path, err := buildProgram(ctx)
	if err != nil {
		return nil, err
	}
	c := transport.Connection{Transport: "tcp", IP: "127.0.0.1", Key: "bench", SignatureScheme: "hmac-sha256"}
	for _, port := range []*int{&c.ShellPort, &c.IOPubPort, &c.StdinPort, &c.ControlPort, &c.HBPort} {
		if *port, err = freePort(); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "connection.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return nil, err
	}
	var log bytes.Buffer
	k := &kernel{cmd: exec.Command(path, "kernel", file)}
	k.cmd.Dir, k.cmd.Stderr = dir, &log
	start := time.Now()
	if err := k.cmd.Start(); err != nil {
		return nil, err
	}
	// The library that the front end uses waits 250 ms before it tries again:
	// it is let in when the kernel listens.
	for _, port := range []int{c.ShellPort, c.IOPubPort, c.StdinPort, c.ControlPort, c.HBPort} {
		if err := listening(port, start.Add(5*time.Minute)); err != nil {
			k.stop()
			return nil, fmt.Errorf("the kernel does not listen: %w\n%s", err, log.Bytes())
		}
	}
	if k.client, err = kerneltest.Dial(c); err != nil {
		k.stop()
		return nil, err
	}
	if err := k.client.AwaitWelcome(ctx); err != nil {
		k.stop()
		return nil, err
	}
	id, err := k.client.Send(kerneltest.Shell, "kernel_info_request", "{}")
	if err != nil {
		return nil, err
	}
	if _, err := k.client.RecvReply(ctx, kerneltest.Shell, id); err != nil {
		return nil, err
	}
	k.readyAfter = time.Since(start)
	_, err = k.client.RecvUntilIdle(ctx, id)
	return k, err
}

func listening(port int, until time.Time) error {
	for {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(until) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// timedCell runs a cell and returns the time from the request to idle.
func (k *kernel) timedCell(ctx context.Context, code string) (time.Duration, error) {
	start := time.Now()
	id, err := k.client.Execute(code)
	if err != nil {
		return 0, err
	}
	if _, err := k.client.RecvUntilIdle(ctx, id); err != nil {
		return 0, err
	}
	d := time.Since(start)
	_, err = k.client.RecvReply(ctx, kerneltest.Shell, id)
	return d, err
}

// cell is timedCell for code that must succeed.
func (k *kernel) cell(ctx context.Context, code string) (time.Duration, error) {
	start := time.Now()
	id, err := k.client.Execute(code)
	if err != nil {
		return 0, err
	}
	messages, err := k.client.RecvUntilIdle(ctx, id)
	if err != nil {
		return 0, err
	}
	d := time.Since(start)
	for _, m := range messages {
		if m.Header.MsgType == "error" {
			return 0, fmt.Errorf("cell failed: %s", m.Content)
		}
	}
	_, err = k.client.RecvReply(ctx, kerneltest.Shell, id)
	return d, err
}

// resident returns the resident memory of the kernel and of its worker, in bytes.
func (k *kernel) resident() (kernel, worker int) {
	pid := strconv.Itoa(k.cmd.Process.Pid)
	tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	for _, t := range tasks {
		out, _ := os.ReadFile(t)
		for _, child := range strings.Fields(string(out)) {
			worker += residentOf(child)
		}
	}
	return residentOf(pid), worker
}

func residentOf(pid string) int {
	b, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return pages * os.Getpagesize()
}

func (k *kernel) stop() {
	if k.client != nil {
		k.client.Close()
	}
	_ = k.cmd.Process.Signal(os.Interrupt)
	_ = k.cmd.Process.Kill()
	_ = k.cmd.Wait()
}
