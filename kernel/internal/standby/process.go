package standby

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/inheritance"
	"golang.org/x/sys/unix"
)

// A standby is the worker process's side of a process that waits to become a child.
type standby struct {
	process *os.Process
	conn    *net.UnixConn
	key     string // result of inheritance.Describe when it was started

	mu   sync.Mutex // held while a message is sent; guards have and last
	have int        // number of load steps that were sent to it
	last bool       // no more updates are sent, since it becomes a child

	updated chan struct{} // receives one value after each update
	taken   chan struct{} // closed when it has become the process of a command
	gone    chan struct{} // closed when it has ended without becoming a child, and was waited for
}

// environmentVariable is the environment variable that makes a worker process a standby.
const environmentVariable = "PERIJOVE_STANDBY"

// Kinds of messages to a standby. A message consists of the length of its body, its kind and the body. The answer to each
// is only its kind.
const (
	updateMessage byte = 'u' // load steps, as in Host.Updates
	becomeMessage byte = 'b' // the numbers of its files; the files are sent with the message
)

// maxUpdate is the maximum number of load steps in one message: about 3 ms of work.
const maxUpdate = 16

// becomeTimeout is how long a standby may take to become a child. A standby does not answer if a signal has stopped it
// or if it is running a long initializer. Then a new process is started.
const becomeTimeout = time.Second

// start starts a standby for commands like cmd. Its standard output and
// error are files in memory until the standby becomes the process of a command.
func start(cmd *exec.Cmd, memoryLimited bool) (*standby, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "standby"), os.NewFile(uintptr(pair[1]), "standby")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	files := []*os.File{nil, nil, nil, theirs}
	for i := 0; i < 3 && err == nil; i++ {
		files[i], err = openFile(i)
	}
	defer func() {
		for _, f := range files[:4] {
			f.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	for len(files) < 3+len(cmd.ExtraFiles) {
		files = append(files, files[0]) // so that files that the child opens have their usual numbers
	}
	// The process inherits attributes of this thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s := &standby{
		conn: conn.(*net.UnixConn), updated: make(chan struct{}, 1), taken: make(chan struct{}), gone: make(chan struct{}),
	}
	if s.key, err = inheritance.Describe(cmd, memoryLimited); err == nil {
		s.process, err = os.StartProcess(cmd.Path, cmd.Args, &os.ProcAttr{
			Env: append(cmd.Environ(), environmentVariable+"=1"), Files: files, Sys: cmd.SysProcAttr,
		})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// openFile opens the temporary file for descriptor i of a standby.
func openFile(i int) (*os.File, error) {
	if i == 0 {
		return os.Open(os.DevNull)
	}
	fd, err := unix.MemfdCreate("standby", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "standby"), nil
}

// attend handles the answers of the standby until it becomes a child or ends. If it ends, attend calls lost.
func (s *standby) attend(lost func(*standby)) {
	defer s.conn.Close()
	var answer [1]byte
	for {
		if _, err := s.conn.Read(answer[:]); err != nil {
			break
		}
		if answer[0] == becomeMessage {
			close(s.taken)
			return
		}
		s.updated <- struct{}{}
	}
	_ = s.process.Kill() // usually it has ended already
	_, _ = s.process.Wait()
	close(s.gone)
	lost(s)
}

// update sends the standby some of the load steps that it lacks, waits until it has
// applied them, and reports whether there may be more. It stops at the first step
// that may have effects.
func (s *standby) update(h Host) (more bool) {
	s.mu.Lock()
	sent := !s.last && s.sendLoads(h.Updates(s.have, maxUpdate))
	s.mu.Unlock()
	if !sent {
		return false
	}
	select {
	case <-s.updated:
		return true
	case <-s.taken:
	case <-s.gone:
	}
	return false
}

// sendLoads sends n encoded load steps, and reports whether it has sent any. The caller holds mu.
func (s *standby) sendLoads(msg []byte, n int) bool {
	if n == 0 || s.send(updateMessage, msg, nil) != nil {
		return false
	}
	s.have += n
	return true
}

// send sends a message, with the files in rights. The caller holds mu.
func (s *standby) send(kind byte, body, rights []byte) error {
	head := append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), kind)
	n, _, err := s.conn.WriteMsgUnix(head, rights, nil)
	if err == nil && n < len(head) {
		err = errors.New("a message to the child process on standby was sent only in part")
	}
	if err == nil {
		_, err = s.conn.Write(body)
	}
	return err
}

// FilesOf returns the files that the process of cmd gets, by descriptor. The first file may be nil. FilesOf returns
// an error if a standard stream is not a file.
func FilesOf(cmd *exec.Cmd) (files []*os.File, err error) {
	for i, v := range []any{cmd.Stdin, cmd.Stdout, cmd.Stderr} {
		f, ok := v.(*os.File)
		if !ok && (v != nil || i > 0) {
			return nil, fmt.Errorf("the standard stream %d of the command is not a file", i)
		}
		files = append(files, f)
	}
	return append(files, cmd.ExtraFiles...), nil
}

// become makes the standby the process of cmd.
func (s *standby) become(cmd *exec.Cmd) error {
	files, err := FilesOf(cmd)
	if err != nil {
		return err
	}
	dir, err := unix.Open(".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	fds := []int{dir}
	var numbers []byte
	for i, f := range files {
		if f != nil {
			numbers = append(numbers, byte(i))
			fds = append(fds, int(f.Fd()))
		}
	}
	s.mu.Lock()
	s.last = true
	err = s.send(becomeMessage, numbers, unix.UnixRights(fds...))
	s.mu.Unlock()
	runtime.KeepAlive(files)
	if err != nil {
		return err
	}
	timeout := time.NewTimer(becomeTimeout)
	defer timeout.Stop()
	select {
	case <-s.taken:
		cmd.Process = s.process
		return nil
	case <-s.gone:
		return os.ErrProcessDone
	case <-timeout.C:
	}
	s.discard()
	select {
	case <-s.taken: // it has become a child, but after the timeout
		_, _ = s.process.Wait()
	case <-s.gone:
	}
	return syscall.ETIMEDOUT
}

// discard kills the standby. attend waits for it.
func (s *standby) discard() { _ = s.process.Kill() }
