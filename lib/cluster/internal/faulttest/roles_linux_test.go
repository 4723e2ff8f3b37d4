package faulttest

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/perijove/perijove/lib/cluster"
)

// ports are the ports that a server reports to the test when it listens.
type ports struct{ Client, Cluster int }

// serve runs a NATS server of the cluster.
func serve(c config) error {
	o := &server.Options{
		ServerName: c.Name, Host: c.Host, Port: c.ClientPort, Authorization: token,
		Cluster:   server.ClusterOpts{Name: "faulttest", Host: c.Host, Port: c.ClusterPort, Advertise: c.Advertise, NoAdvertise: true},
		JetStream: true, StoreDir: c.Store, JetStreamMaxMemory: 1 << 30, JetStreamMaxStore: 4 << 30,
		NoSigs: true, LogFile: os.Getenv("FAULTTEST_LOG"), NoLog: os.Getenv("FAULTTEST_LOG") == "",
	}
	for _, r := range c.Routes {
		u, err := url.Parse("nats-route://" + r)
		if err != nil {
			return err
		}
		o.Routes = append(o.Routes, u)
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	if o.LogFile != "" {
		o.LogFile += "-" + c.Name
		s.ConfigureLogger()
	}
	go s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return errors.New("the server does not listen")
	}
	if err := json.NewEncoder(os.Stdout).Encode(ports{s.Addr().(*net.TCPAddr).Port, s.ClusterAddr().Port}); err != nil {
		return err
	}
	select {}
}

// work runs workers.
func work(c config) error {
	j, err := cluster.Open(context.Background(), cluster.URL(c.URL), cluster.Token(token), cluster.Replicas(3))
	if err == nil {
		err = j.Workers(c.Workers)
	}
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode("ready"); err != nil {
		return err
	}
	select {}
}
