# The first process of a guest, whose root is the host's, read-only: makes what a hub needs and runs it on the second
# console. The first one is for complaints.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
exec 2>/dev/tty0

# modprobe looks for lib/modules beneath the folder that it is given.
mkdir -p /run/uml/lib
ln -s /usr/lib/uml/modules /run/uml/lib/modules
# shellcheck disable=SC2046 # a word a module
modprobe -d /run/uml -a $(echo "$ROTA_MODULES" | tr , " ")
ip link set lo up

# No echo, no end at a ^D, and no line that is cut at 4,096 octets.
stty -F /dev/tty1 raw -echo
"$ROTA_NODE" "$ROTA_RELAY" "$ROTA_HUB" </dev/tty1 >/dev/tty1
# "reboot" of any kind would begin anew.
busybox poweroff -f
