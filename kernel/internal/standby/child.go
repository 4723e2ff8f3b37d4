package standby

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/perijove/perijove/kernel/internal/control"
	"golang.org/x/sys/unix"
)

// A message is a message from the worker process to this process, which is a standby.
type message struct {
	kind byte
	body []byte
	fds  []int
}

// Wanted reports whether this process was started as a standby.
func Wanted() bool { return os.Getenv(environmentVariable) != "" }

// Run runs this process as a standby until the process becomes that of a command. apply repeats load steps from
// Host.Updates. If the worker process closes the connection, this process ends.
func Run(apply func(msg []byte) error) error {
	os.Unsetenv(environmentVariable)
	conn, err := connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	return follow(conn, apply)
}

// connect returns the connection to the worker process. It moves the connection to another file descriptor, since a
// file of the command will need the number.
func connect() (*net.UnixConn, error) {
	fd, err := unix.FcntlInt(control.FD, unix.F_DUPFD_CLOEXEC, control.FD+1)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "standby")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.New("the connection to the worker process is not a Unix socket")
	}
	return c, nil
}

// follow handles messages of the worker process until this process becomes the process of a command.
func follow(conn *net.UnixConn, apply func(msg []byte) error) error {
	messages := make(chan message)
	go read(conn, messages)
	for m := range messages {
		var err error
		if m.kind == updateMessage {
			err = apply(m.body)
		} else {
			err = m.takeFiles()
		}
		if err == nil {
			_, err = conn.Write([]byte{m.kind})
		}
		if err != nil || m.kind == becomeMessage {
			return err
		}
	}
	return io.ErrUnexpectedEOF
}

// read reads messages and sends them to the channel. If the worker process closes the connection, this process ends
// immediately.
func read(conn *net.UnixConn, messages chan<- message) {
	for {
		var head [5]byte
		oob := make([]byte, unix.CmsgSpace(4*16))
		n, oobn, _, _, err := conn.ReadMsgUnix(head[:], oob)
		if err == nil && n < len(head) {
			_, err = io.ReadFull(conn, head[n:])
		}
		m := message{kind: head[4]}
		if err == nil {
			m.body = make([]byte, binary.LittleEndian.Uint32(head[:]))
			_, err = io.ReadFull(conn, m.body)
		}
		if err == nil {
			m.fds, err = rights(oob[:oobn])
		}
		if err != nil {
			unix.Exit(0) // without package os, whose Exit is hooked
		}
		messages <- m
		if m.kind == becomeMessage {
			return
		}
	}
}

func rights(oob []byte) ([]int, error) {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return unix.ParseUnixRights(&list[0])
}

// takeFiles gives this process the folder and the files of the command, and writes the earlier output of this process
// to these files.
func (m message) takeFiles() error {
	if len(m.fds) != 1+len(m.body) {
		return fmt.Errorf("the worker process sent %d files to this child process instead of %d", len(m.fds), 1+len(m.body))
	}
	if err := unix.Fchdir(m.fds[0]); err != nil {
		return err
	}
	var written [3][]byte
	for fd := 1; fd < len(written); fd++ {
		var err error
		if written[fd], err = contents(fd); err != nil {
			return err
		}
	}
	for i, n := range m.body {
		if err := unix.Dup3(m.fds[1+i], int(n), 0); err != nil {
			return err
		}
	}
	for _, fd := range m.fds {
		_ = unix.Close(fd)
	}
	// If a stream has no reader, the command's function will get the error when it writes.
	_, _ = os.Stdout.Write(written[1])
	_, _ = os.Stderr.Write(written[2])
	return nil
}

// contents returns the contents of a file.
func contents(fd int) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	b := make([]byte, st.Size)
	n, err := unix.Pread(fd, b, 0)
	return b[:max(n, 0)], err
}
