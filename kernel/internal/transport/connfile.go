package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
)

// A Connection is the content of a Jupyter connection file.
type Connection struct {
	Transport       string `json:"transport"` // "tcp" or "ipc"
	IP              string `json:"ip"`        // IP address; for ipc, the beginning of the socket's path
	ShellPort       int    `json:"shell_port"`
	IOPubPort       int    `json:"iopub_port"`
	StdinPort       int    `json:"stdin_port"`
	ControlPort     int    `json:"control_port"`
	HBPort          int    `json:"hb_port"`
	SignatureScheme string `json:"signature_scheme"`
	Key             string `json:"key"`
	KernelName      string `json:"kernel_name,omitempty"`
	CurvePublicKey  string `json:"curve_publickey,omitempty"`
	CurveSecretKey  string `json:"curve_secretkey,omitempty"`
}

// ReadConnection reads and checks a connection file.
func ReadConnection(path string) (Connection, error) {
	var c Connection
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("cannot read the connection file: %w", err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("the connection file %s is malformed: %w", path, err)
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("cannot use the connection file %s: %w", path, err)
	}
	return c, nil
}

func (c *Connection) check() error {
	if c.Transport == "" {
		c.Transport = "tcp"
	}
	switch {
	case c.Transport != "tcp" && c.Transport != "ipc":
		return fmt.Errorf("the transport %q is not supported; use tcp or ipc", c.Transport)
	case c.CurvePublicKey != "" || c.CurveSecretKey != "":
		// The kernel must not run without encryption if the connection file requests encryption.
		return errors.New("encryption with Curve is not supported: start the kernel without transport_encryption, or with transport ipc")
	}
	return nil
}

// address returns the network and address of one socket for net.Listen.
func (c Connection) address(port int) (network, address string) {
	if c.Transport == "ipc" {
		return "unix", c.IP + "-" + strconv.Itoa(port)
	}
	return "tcp", net.JoinHostPort(c.IP, strconv.Itoa(port))
}

// Endpoint returns a socket's address in ZeroMQ's form.
func (c Connection) Endpoint(port int) string {
	_, address := c.address(port)
	return c.Transport + "://" + address
}
