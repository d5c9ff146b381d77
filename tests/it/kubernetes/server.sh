# Runs etcd, the API server, and once told so the controllers, until standard
# input ends, as it does however the tests end. Everything is ended by its id.
cd "$D" || exit 1
export HOME="$D"
openssl genrsa -out sa.key 2048 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=clients -keyout ca.key -out ca.crt 2>/dev/null
openssl req -x509 -CA ca.crt -CAkey ca.key -newkey rsa:2048 -nodes -subj /O=system:masters/CN=admin \
  -addext basicConstraints=CA:FALSE -keyout client.key -out client.crt 2>/dev/null
cat >expired.cnf <<X
[ca]
default_ca = all
[all]
database = expired.index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = names
x509_extensions = server
[names]
commonName = supplied
[server]
basicConstraints = CA:FALSE
subjectAltName = DNS:expired.example.org
X
: >expired.index
openssl req -newkey rsa:2048 -nodes -subj /CN=expired.example.org -keyout expired.key -out expired.csr 2>/dev/null
openssl ca -batch -notext -config expired.cnf -cert ca.crt -keyfile ca.key -in expired.csr -out expired.crt \
  -startdate 20200101000000Z -enddate 20200102000000Z 2>/dev/null
"$ETCD/etcd" --data-dir "$D/etcd" --listen-client-urls "http://127.0.0.1:$P1" \
  --advertise-client-urls "http://127.0.0.1:$P1" --listen-peer-urls "http://127.0.0.1:$P2" \
  --initial-advertise-peer-urls "http://127.0.0.1:$P2" --initial-cluster "default=http://127.0.0.1:$P2" \
  --unsafe-no-fsync >etcd.log 2>&1 </dev/null &
etcd=$!
"$KUBERNETES/kube-apiserver" --etcd-servers="http://127.0.0.1:$P1" --secure-port="$P" --bind-address=127.0.0.1 \
  --cert-dir="$D/certs" --service-account-key-file="$D/sa.key" --service-account-signing-key-file="$D/sa.key" \
  --service-account-issuer=https://kubernetes.default.svc --token-auth-file="$D/tokens.csv" --client-ca-file="$D/ca.crt" \
  --tls-sni-cert-key="$D/expired.crt,$D/expired.key:expired.example.org" --watch-cache-sizes=podtemplates#0 \
  --authorization-mode=RBAC --service-cluster-ip-range=10.0.0.0/16 --disable-admission-plugins=ServiceAccount \
  --allow-privileged --audit-policy-file="$D/audit.yaml" --audit-log-path="$D/audit.log" \
  >apiserver.log 2>&1 </dev/null &
apiserver=$!
controllers=
kwok=
end() {
  for pid in $kwok $controllers $apiserver $etcd; do
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  cd / && rm -rf "$D"
}
if read -r _; then
  "$KUBERNETES/kube-controller-manager" --kubeconfig="$D/admin.kubeconfig" --leader-elect=false \
    --service-account-private-key-file="$D/sa.key" --bind-address=127.0.0.1 --secure-port="$P3" \
    --cert-dir="$D/kcm" --kube-api-qps=500 --kube-api-burst=500 >controllers.log 2>&1 </dev/null &
  controllers=$!
  "$KWOK/kwok" --kubeconfig="$D/admin.kubeconfig" --manage-all-nodes=true --server-address="127.0.0.1:$P4" \
    --config "$KWOK/../stages.yaml" >kwok.log 2>&1 </dev/null &
  kwok=$!
  read -r _
fi
end
