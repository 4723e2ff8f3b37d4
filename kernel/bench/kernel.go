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
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// A kernel is a kernel process and a front end connected to it.
type kernel struct {
	cmd        *exec.Cmd
	client     *kerneltest.Client
	readyAfter time.Duration // from the start of the process to its first answer
	connection transport.Connection
}

var program struct {
	once sync.Once
	path string
	err  error
}

// buildProgram builds perijove once, unless the command line names one.
func buildProgram(ctx context.Context) (string, error) {
	if *perijove != "" {
		return *perijove, nil
	}
	program.once.Do(func() {
		program.path = filepath.Join(os.TempDir(), fmt.Sprintf("perijove-bench-%d", os.Getpid()))
		cmd := exec.CommandContext(ctx, "go", "build", "-o", program.path, "github.com/perijove/perijove/kernel/cmd/perijove")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // like install.sh
		out, err := cmd.CombinedOutput()
		if err != nil {
			program.err = fmt.Errorf("cannot build the program perijove: %w\n%s", err, out)
		}
	})
	return program.path, program.err
}

// startKernel starts perijove and waits for its first answer.
func startKernel(ctx context.Context, dir string) (*kernel, error) {
	path, err := buildProgram(ctx)
	if err != nil {
		return nil, err
	}
	return start(ctx, dir, []string{path, "kernel", connectionFile}, (*kerneltest.Client).AwaitWelcome)
}

// connectionFile stands for the connection file in a kernel's arguments.
const connectionFile = "{connection_file}"

// start starts any kernel in dir. subscribed waits until the front end's
// subscription has reached the kernel.
func start(ctx context.Context, dir string, argv []string, subscribed func(*kerneltest.Client, context.Context) error) (*kernel, error) {
	c, file, err := writeConnection(dir)
	if err != nil {
		return nil, err
	}
	argv = slices.Clone(argv)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], connectionFile, file)
	}
	var log bytes.Buffer
	k := &kernel{cmd: exec.Command(argv[0], argv[1:]...), connection: c}
	k.cmd.Dir, k.cmd.Stderr = dir, &log
	begin := time.Now()
	if err := k.cmd.Start(); err != nil {
		return nil, err
	}
	if err := k.greet(ctx, c, begin, subscribed); err != nil {
		k.stop()
		return nil, fmt.Errorf("cannot start the kernel %s: %w\n%s", argv[0], err, log.Bytes())
	}
	return k, nil
}

func writeConnection(dir string) (c transport.Connection, file string, err error) {
	c = transport.Connection{Transport: "tcp", IP: "127.0.0.1", Key: "bench", SignatureScheme: "hmac-sha256"}
	for _, port := range []*int{&c.ShellPort, &c.IOPubPort, &c.StdinPort, &c.ControlPort, &c.HBPort} {
		if *port, err = freePort(); err != nil {
			return c, "", err
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		return c, "", err
	}
	file = filepath.Join(dir, "connection.json")
	return c, file, os.WriteFile(file, b, 0o600)
}

// greet connects a front end and sets readyAfter when the kernel has answered.
func (k *kernel) greet(ctx context.Context, c transport.Connection, begin time.Time, subscribed func(*kerneltest.Client, context.Context) error) error {
	// Wait until the kernel listens: after a failed attempt the front end's ZeroMQ library
	// would wait 250 ms before it tries again.
	for _, port := range []int{c.ShellPort, c.IOPubPort, c.StdinPort, c.ControlPort, c.HBPort} {
		if err := listening(port, begin.Add(5*time.Minute)); err != nil {
			return fmt.Errorf("the kernel does not listen on port %d: %w", port, err)
		}
	}
	var err error
	if k.client, err = kerneltest.Dial(c); err != nil {
		return err
	}
	if err := subscribed(k.client, ctx); err != nil {
		return err
	}
	id, err := k.client.Send(kerneltest.Shell, "kernel_info_request", "{}")
	if err != nil {
		return err
	}
	if _, err := k.client.RecvReply(ctx, kerneltest.Shell, id); err != nil {
		return err
	}
	k.readyAfter = time.Since(begin)
	_, err = k.client.RecvUntilIdle(ctx, id)
	return err
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
	d, _, err := k.execute(ctx, code)
	return d, err
}

// cell is timedCell for code that must succeed.
func (k *kernel) cell(ctx context.Context, code string) (time.Duration, error) {
	d, messages, err := k.execute(ctx, code)
	if err == nil {
		err = failed(messages)
	}
	return d, err
}

// execute runs a cell. It returns the time from the request to idle, and the cell's iopub messages.
func (k *kernel) execute(ctx context.Context, code string) (time.Duration, []*wire.Message, error) {
	start := time.Now()
	id, err := k.request(code)
	if err != nil {
		return 0, nil, err
	}
	messages, err := k.client.RecvUntilIdle(ctx, id)
	if err != nil {
		return 0, nil, err
	}
	d := time.Since(start)
	_, err = k.client.RecvReply(ctx, kerneltest.Shell, id)
	return d, messages, err
}

// request sends an execute_request with every field that front ends set, since some kernels
// do not answer requests without them.
func (k *kernel) request(code string) (id string, err error) {
	content, err := json.Marshal(map[string]any{
		"code": code, "silent": false, "store_history": true, "user_expressions": struct{}{},
		"allow_stdin": false, "stop_on_error": true,
	})
	if err != nil {
		return "", err
	}
	return k.client.Send(kerneltest.Shell, "execute_request", string(content))
}

func failed(messages []*wire.Message) error {
	for _, m := range messages {
		if m.Header.MsgType == "error" {
			return fmt.Errorf("the cell failed: %s", m.Content)
		}
	}
	return nil
}

// printed returns the text of a cell's stream messages.
func printed(messages []*wire.Message) (string, error) {
	var b strings.Builder
	for _, m := range messages {
		if m.Header.MsgType != "stream" {
			continue
		}
		var s wire.Stream
		if err := json.Unmarshal(m.Content, &s); err != nil {
			return "", err
		}
		b.WriteString(s.Text)
	}
	return b.String(), nil
}

// stop ends the kernel like Jupyter, by SIGTERM. If that takes too long it kills the kernel,
// which then leaves its folder of compiled cells.
func (k *kernel) stop() {
	if k.client != nil {
		k.client.Close()
	}
	_ = k.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(10*time.Second, func() { _ = k.cmd.Process.Kill() })
	defer kill.Stop()
	_ = k.cmd.Wait()
}
