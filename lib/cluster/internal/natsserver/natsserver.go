// Package natsserver runs a NATS server with JetStream in this process.
package natsserver

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/perijove/perijove/lib/cluster/internal/tempfolder"
)

// startTimeout is how long a server may take to start.
const startTimeout = time.Minute

// A Server is a NATS server in this process.
type Server struct {
	running
	Token string

	temporary *tempfolder.Folder // to remove afterwards, or nil
	locked    *tempfolder.Folder // that the user has given, or nil
}

// running has the methods of *server.Server that package cluster needs. With a field of the type
// *server.Server in Server, the compiler would compile the instances of generic types in its fields,
// 2 MB of code, for each cell and program that mentions a Cluster.
type running interface {
	ClientURL() string
	InProcessConn() (net.Conn, error)
	Shutdown()
	WaitForShutdown()
}

// Start starts a server on the loopback interface. If folder is empty, the server
// uses a temporary folder, which Stop removes; if this process is killed, the next
// Start on this machine removes it.
func Start(folder string) (*Server, error) {
	e := &Server{Token: rand.Text()}
	if folder == "" {
		f, err := tempfolder.New(os.TempDir(), "perijove-nats-")
		if err != nil {
			return nil, fmt.Errorf("cluster: cannot make a temporary folder for the embedded NATS server: %w", err)
		}
		folder, e.temporary = f.Path, f
	} else if err := e.lock(folder); err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: e.Token, ServerName: "perijove-" + rand.Text()[:8],
		JetStream: true, StoreDir: folder, JetStreamMaxMemory: 4 << 30, JetStreamMaxStore: 64 << 30,
		NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
	})
	if err != nil {
		e.remove()
		return nil, fmt.Errorf("cluster: cannot start the embedded NATS server: %w", err)
	}
	e.running = s
	go s.Start()
	if !s.ReadyForConnections(startTimeout) {
		e.Stop()
		return nil, errors.New("cluster: the embedded NATS server did not accept connections within a minute")
	}
	if !s.JetStreamEnabled() {
		e.Stop()
		return nil, fmt.Errorf("cluster: the embedded NATS server cannot store messages in the folder %s: make the folder writable, or choose another with cluster.Folder", folder)
	}
	return e, nil
}

// Stop stops the server, and removes its temporary folder.
func (e *Server) Stop() {
	e.Shutdown()
	e.WaitForShutdown()
	e.remove()
}

func (e *Server) remove() {
	_ = e.temporary.Remove() // a later Start removes what is left
	_ = e.locked.Unlock()    // the end of the process does it, too
}

// lock locks the folder that the user has given: two servers would damage each other's files.
func (e *Server) lock(folder string) (err error) {
	e.locked, err = tempfolder.Lock(folder)
	switch {
	case errors.Is(err, tempfolder.ErrLocked):
		return fmt.Errorf("cluster: another NATS server uses the folder %s: join that server with cluster.URL and cluster.Token, or choose another folder with cluster.Folder", folder)
	case err != nil:
		return fmt.Errorf("cluster: cannot use the folder %s as the store of the embedded NATS server: %w", folder, err)
	}
	return nil
}
