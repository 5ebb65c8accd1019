# Who holds what.

% mktree $cases/card.tree m
$ pve-gpu list --root m
>   ADDRESS  CLASS           DRIVER         GROUP  RESET  HELD BY
> NVIDIA Corporation AD102 [GeForce RTX 4090]
>   01:00.0  VGA controller  nouveau        14     bus    host
>   01:00.1  audio device    snd_hda_intel  14     -      host
? 0
$ pve-gpu list --root m -v
>   ADDRESS  CLASS           DRIVER         GROUP  RESET  HELD BY
> NVIDIA Corporation AD102 [GeForce RTX 4090]
>   01:00.0  VGA controller  nouveau        14     bus    host
>            NVIDIA Corporation AD102 [GeForce RTX 4090], id 10de:2684, class
>            030000, subsystem 1043:88e2, power D0 (on), NUMA node 0
>   01:00.1  audio device    snd_hda_intel  14     -      host
>            NVIDIA Corporation AD102 High Definition Audio Controller, id
>            10de:22ba, class 040300, subsystem 1043:88e2, power D0 (on)
? 0
$ pve-gpu list --all --root m
>   ADDRESS  CLASS                DRIVER         GROUP  RESET    HELD BY
> NVIDIA Corporation AD102 [GeForce RTX 4090]
>   01:00.0  VGA controller       nouveau        14     bus      host
>   01:00.1  audio device         snd_hda_intel  14     -        host
> Intel Corporation I210 Gigabit Network Connection
>   02:00.0  Ethernet controller  igb            15     flr bus  host
? 0
$ pve-gpu list --root m --json | helper json '*' iommu devices.# devices.0.'*' devices.0.address devices.0.vendor devices.0.device devices.0.class devices.0.name devices.0.driver devices.0.group devices.0.reset_methods devices.0.lease devices.0.boot_vga devices.0.gpu devices.1.gpu devices.1.reset_methods notes
> *: version iommu devices notes
> iommu: true
> devices.#: 2
> devices.0.*: address vendor device subsystem class class_name name gpu driver module override group reset reset_methods boot_vga numa power_state power_control pf vfs health said link errors lease held_by uses
> devices.0.address: "0000:01:00.0"
> devices.0.vendor: "10de"
> devices.0.device: "2684"
> devices.0.class: "030000"
> devices.0.name: "NVIDIA Corporation AD102 [GeForce RTX 4090]"
> devices.0.driver: "nouveau"
> devices.0.group: 14
> devices.0.reset_methods: ["bus"]
> devices.0.lease: null
> devices.0.boot_vga: false
> devices.0.gpu: true
> devices.1.gpu: false
> devices.1.reset_methods: []
> notes: []
? 0
$ pve-gpu list --all --root m --json | helper json devices.# devices.2
> devices.#: 3
> devices.2: {"address":"0000:02:00.0","vendor":"8086","device":"1533","subsystem":null,"class":"020000","class_name":"Ethernet controller","name":"Intel Corporation I210 Gigabit Network Connection","gpu":false,"driver":"igb","module":"igb","override":null,"group":15,"reset":true,"reset_methods":["flr","bus"],"boot_vga":null,"numa":null,"power_state":"D0","power_control":"on","pf":null,"vfs":0,"health":"ok","said":null,"link":null,"errors":null,"lease":null,"held_by":[],"uses":[]}
? 0
# An override that somebody has set, a device without driver, one that VFIO has.
% echo nouveau >m/sys/bus/pci/devices/0000:01:00.0/driver_override
% rm m/sys/bus/pci/devices/0000:01:00.1/driver
$ pve-gpu list --root m
>   ADDRESS  CLASS           DRIVER   GROUP  RESET  HELD BY
> NVIDIA Corporation AD102 [GeForce RTX 4090]
>   01:00.0  VGA controller  nouveau  14     bus    host
>            driver_override is set: nouveau
>   01:00.1  audio device    -        14     -      nobody
? 0
# A driver's name that wants to be more than a name.
% ln -s "$(printf '../../../../bus/pci/drivers/\033[31mred\377')" m/sys/bus/pci/devices/0000:01:00.1/driver
$ pve-gpu list --root m
>   ADDRESS  CLASS           DRIVER           GROUP  RESET  HELD BY
> NVIDIA Corporation AD102 [GeForce RTX 4090]
>   01:00.0  VGA controller  nouveau          14     bus    host
>            driver_override is set: nouveau
>   01:00.1  audio device    \x1b[31mred\xff  14     -      host
? 0
$ pve-gpu list --root m --json | helper json devices.1.driver
> devices.1.driver: "\\x1b[31mred\\xff"
? 0
# No card at all.
% rm m/sys/bus/pci/devices/0000:01:00.*
$ pve-gpu list --root m
! pve-gpu: note: there is no graphics card; 'pve-gpu list --all' shows every device that a VM could have
? 0
$ pve-gpu list -q --root m
? 0
$ pve-gpu list --root m --json 2>/dev/null | helper json devices notes
> devices: []
> notes: ["there is no graphics card; 'pve-gpu list --all' shows every device that a VM could have"]
? 0
# Names are not known: numbers serve.
% : >m/usr/share/misc/pci.ids
$ pve-gpu list --all --root m
>   ADDRESS  CLASS                DRIVER  GROUP  RESET    HELD BY
> [8086:1533]
>   02:00.0  Ethernet controller  igb     15     flr bus  host
? 0
