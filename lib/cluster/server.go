package cluster

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/perijove/perijove/lib/cluster/internal/tempfolder"
)

// serverTimeout is how long the embedded server may take to start.
const serverTimeout = time.Minute

// An embedded is a NATS server in this process.
type embedded struct {
	server    *server.Server
	token     string
	temporary *tempfolder.Folder // to remove afterwards, or nil
	locked    *tempfolder.Folder // that the user has given, or nil
}

// startServer starts a server on the loopback interface. If folder is empty, the server
// uses a temporary folder, which stop removes; if this process is killed, the next
// startServer on this machine removes it.
func startServer(folder string) (*embedded, error) {
	e := &embedded{token: rand.Text()}
	if folder == "" {
		f, err := tempfolder.New(os.TempDir(), "perijove-nats-")
		if err != nil {
			return nil, fmt.Errorf("cluster: cannot make a folder for the server: %w", err)
		}
		folder, e.temporary = f.Path, f
	} else if err := e.lock(folder); err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: e.token, ServerName: "perijove-" + rand.Text()[:8],
		JetStream: true, StoreDir: folder, JetStreamMaxMemory: 4 << 30, JetStreamMaxStore: 64 << 30,
		NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
	})
	if err != nil {
		e.remove()
		return nil, fmt.Errorf("cluster: cannot start the server: %w", err)
	}
	e.server = s
	go s.Start()
	if !s.ReadyForConnections(serverTimeout) {
		e.stop()
		return nil, errors.New("cluster: the server did not start within a minute")
	}
	if !s.JetStreamEnabled() {
		e.stop()
		return nil, fmt.Errorf("cluster: the server cannot use %s as its store", folder)
	}
	return e, nil
}

func (e *embedded) stop() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	e.remove()
}

func (e *embedded) remove() {
	_ = e.temporary.Remove() // a later startServer removes what is left
	_ = e.locked.Unlock()    // the end of the process does it, too
}

// lock locks the folder that the user has given: two servers would damage each other's files.
func (e *embedded) lock(folder string) (err error) {
	e.locked, err = tempfolder.Lock(folder)
	switch {
	case errors.Is(err, tempfolder.ErrLocked):
		return fmt.Errorf("cluster: another server uses the folder %s: join it with cluster.URL and cluster.Token, or choose another folder", folder)
	case err != nil:
		return fmt.Errorf("cluster: cannot use %s as the store of the server: %w", folder, err)
	}
	return nil
}
