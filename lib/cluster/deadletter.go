package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

// A DeadLetter describes a task that was given up because its workers died, or a message that
// could not be decoded.
type DeadLetter struct {
	Function string // "main.Square (main.go:12)"; empty if the message could not be decoded
	Error    string
	Tries    int       // number of times that the task was begun
	Time     time.Time // when the task was given up
}

// storeDeadLetter stores a dead letter. An argument that is too large for a message is left out.
func (a *agent) storeDeadLetter(d *wire.DeadLetter) {
	if len(d.Arg.Bytes) > maxInline {
		d.Arg = wire.Value{}
	}
	if d.Pool == "" {
		d.Pool = "unknown"
	}
	_, _ = a.c.publish(a.ctx, a.c.deadSubject(d.Pool), "", d.Encode()) // the pool gets the error, too
}

// DeadLetters returns the tasks that were given up, oldest first. The server keeps up to
// 10,000 of them for a week.
func (c *Cluster) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	var info *jetstream.StreamInfo
	err := servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
		info, err = c.dead.Info(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot read the dead letters of the cluster at %s: %w", c.URL(), err)
	}
	var list []DeadLetter
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq && info.State.Msgs > 0; seq++ {
		var m *jetstream.RawStreamMsg
		err := servers.Retry(ctx, func(ctx context.Context, _ bool) (err error) {
			m, err = c.dead.GetMsg(ctx, seq)
			return err
		})
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return list, fmt.Errorf("cluster: cannot read the dead letters of the cluster at %s: %w", c.URL(), err)
		}
		if d, err := wire.DecodeDeadLetter(m.Data); err == nil {
			list = append(list, DeadLetter{d.FuncName, d.Error, d.Tries, m.Time})
		}
	}
	return list, nil
}
