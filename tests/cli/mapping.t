# Cluster-wide names: single lines of pci.cfg, the rest of the file stays.

% mktree $cases/two-cards.tree m
$ pve-gpu --root m mapping list
> There are no mappings.
? 0
$ pve-gpu --root m mapping add gpu 01:00 --dry-run; ls m/etc/pve/mapping 2>&1 | head -n 1
> --- a/etc/pve/mapping/pci.cfg
> +++ b/etc/pve/mapping/pci.cfg
> @@ -0,0 +1,2 @@
> +gpu
> +	map id=10de:2684,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1043:88e2
> This would be written to /etc/pve/mapping/pci.cfg.
> ls: cannot access 'm/etc/pve/mapping': No such file or directory
? 0
$ pve-gpu --root m mapping add gpu 01:00
> --- a/etc/pve/mapping/pci.cfg
> +++ b/etc/pve/mapping/pci.cfg
> @@ -0,0 +1,2 @@
> +gpu
> +	map id=10de:2684,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1043:88e2
> Written to /etc/pve/mapping/pci.cfg.
? 0
$ pve-gpu --root m mapping add gpu 02:00.0 03:00
> --- a/etc/pve/mapping/pci.cfg
> +++ b/etc/pve/mapping/pci.cfg
> @@ -1,2 +1,4 @@
>  gpu
>  	map id=10de:2684,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1043:88e2
> +	map id=8086:1533,iommugroup=15,node=pve1,path=0000:02:00.0,subsystem-id=0000:0000
> +	map id=1002:73bf,iommugroup=16,node=pve1,path=0000:03:00,subsystem-id=1da2:e437
> Written to /etc/pve/mapping/pci.cfg.
? 0
$ pve-gpu --root m mapping add gpu 01:00
! pve-gpu: mapping 'gpu' has 0000:01:00 of node 'pve1' already; nothing was changed. 'pve-gpu mapping refresh gpu' brings it up to date
? 4
$ pve-gpu --root m mapping add gpu 09:00
! pve-gpu: there is no device 0000:09:00.0 on this node; nothing was changed. 'pve-gpu list --all' shows what there is
? 4
$ pve-gpu --root m mapping add gpu 00:01.0
! pve-gpu: 0000:00:01.0 is a bridge: bridges stay with the host; nothing was changed
? 4
$ pve-gpu --root m mapping add gpu nothing
! pve-gpu: 'nothing' is no address: 01:00, 01:00.0 or 0000:01:00.0 is needed
!   'pve-gpu mapping --help' tells more
? 2
$ pve-gpu --root m mapping add 9gpu 01:00
! pve-gpu: '9gpu' is no name for a mapping: a letter, then letters, digits, '-' and '_'
!   'pve-gpu mapping --help' tells more
? 2
$ pve-gpu --root m mapping list
> NAME  NODE  PATH          ID         SUBSYSTEM  GROUP
> gpu   pve1  0000:01:00    10de:2684  1043:88e2  14
> gpu   pve1  0000:02:00.0  8086:1533  0000:0000  15
> gpu   pve1  0000:03:00    1002:73bf  1da2:e437  16
? 0
$ pve-gpu --root m attach 100 gpu --no-hook -n -q | grep hostpci
> +hostpci0: mapping=gpu,pcie=1
? 0
% printf '# old\n\nfar\n\tmap id=10DE:2684,iommugroup=3,node=pve1,path=0000:41:00,description=x\n\tmap id=10de:2684,node=pve2,path=0000:07:00\n\tunknown x\njunk\n\ngone\n\tmap id=1234:5678,node=pve1,path=0000:42:00' >m/etc/pve/mapping/pci.cfg
$ pve-gpu --root m mapping list
> NAME  NODE  PATH        ID         SUBSYSTEM  GROUP
> far   pve1  0000:41:00  10DE:2684  -          3
>   → mapping 'far' (line 4 of '/etc/pve/mapping/pci.cfg') names 0000:41:00, and
>     this machine has no such device: correct the mapping
> far   pve2  0000:07:00  10de:2684  -          -
> gone  pve1  0000:42:00  1234:5678  -          -
>   → mapping 'gone' (line 10 of '/etc/pve/mapping/pci.cfg') names 0000:42:00, and
>     this machine has no such device: correct the mapping
? 3
$ pve-gpu --root m mapping list --json | helper json mappings.# mappings.0.problem mappings.1.here
> mappings.#: 3
> mappings.0.problem: "mapping 'far' (line 4 of '/etc/pve/mapping/pci.cfg') names 0000:41:00, and this machine has no such device: correct the mapping"
> mappings.1.here: false
? 0
$ pve-gpu --root m mapping refresh far --dry-run
> --- a/etc/pve/mapping/pci.cfg
> +++ b/etc/pve/mapping/pci.cfg
> @@ -1,7 +1,7 @@
>  # old
>  
>  far
> -	map id=10DE:2684,iommugroup=3,node=pve1,path=0000:41:00,description=x
> +	map id=10de:2684,iommugroup=14,node=pve1,path=0000:01:00,description=x,subsystem-id=1043:88e2
>  	map id=10de:2684,node=pve2,path=0000:07:00
>  	unknown x
>  junk
> This would be written to /etc/pve/mapping/pci.cfg.
? 0
$ pve-gpu --root m mapping refresh
> --- a/etc/pve/mapping/pci.cfg
> +++ b/etc/pve/mapping/pci.cfg
> @@ -1,7 +1,7 @@
>  # old
>  
>  far
> -	map id=10DE:2684,iommugroup=3,node=pve1,path=0000:41:00,description=x
> +	map id=10de:2684,iommugroup=14,node=pve1,path=0000:01:00,description=x,subsystem-id=1043:88e2
>  	map id=10de:2684,node=pve2,path=0000:07:00
>  	unknown x
>  junk
> Written to /etc/pve/mapping/pci.cfg.
! pve-gpu: note: mapping 'gone': 0000:42:00 is not there, and nothing else on this node is a 1234:5678: its entry stays as it is
? 3
$ pve-gpu --root m mapping refresh far
> There is nothing to change.
? 0
$ pve-gpu --root m mapping remove far --node pve2 -q | tail -n 1
> Written to /etc/pve/mapping/pci.cfg.
? 0
$ pve-gpu --root m mapping remove far --node pve2
! pve-gpu: mapping 'far' says nothing about node 'pve2'
? 1
$ pve-gpu --root m mapping remove far --node pve1 -q | tail -n 1
> Written to /etc/pve/mapping/pci.cfg.
? 0
$ pve-gpu --root m mapping add new 02:00.0 -q
> --- a/etc/pve/mapping/pci.cfg
> +++ b/etc/pve/mapping/pci.cfg
> @@ -1,4 +1,7 @@
>  # old
>  
>  gone
> -	map id=1234:5678,node=pve1,path=0000:42:00
> \ No newline at end of file
> +	map id=1234:5678,node=pve1,path=0000:42:00
> +
> +new
> +	map id=8086:1533,iommugroup=15,node=pve1,path=0000:02:00.0,subsystem-id=0000:0000
> Written to /etc/pve/mapping/pci.cfg.
? 0
$ cat m/etc/pve/mapping/pci.cfg; ls m/etc/pve/priv/lock
> # old
> 
> gone
> 	map id=1234:5678,node=pve1,path=0000:42:00
> 
> new
> 	map id=8086:1533,iommugroup=15,node=pve1,path=0000:02:00.0,subsystem-id=0000:0000
? 0
$ pve-gpu --root m mapping remove far
! pve-gpu: there is no mapping 'far' in '/etc/pve/mapping/pci.cfg'
? 1
$ pve-gpu --root m mapping refresh nothing
! pve-gpu: there is no mapping 'nothing' in '/etc/pve/mapping/pci.cfg'
? 1
$ pve-gpu --root m mapping remove
! pve-gpu: pve-gpu mapping remove NAME [--node NODE]
!   'pve-gpu mapping --help' tells more
? 2
$ pve-gpu --root m mapping
! pve-gpu: something is missing: pve-gpu mapping list|add|remove|refresh [NAME [DEVICE...]]
!   'pve-gpu mapping --help' tells more
? 2
$ pve-gpu --root m mapping sing
! pve-gpu: 'sing': list, add, remove or refresh?
!   'pve-gpu mapping --help' tells more
? 2

# The lines of a file with DOS line ends stay such lines.
% printf 'dos\r\n\tmap id=10de:2684,node=pve1,path=0000:01:00\r\n' >m/etc/pve/mapping/pci.cfg
$ pve-gpu --root m mapping refresh -q >/dev/null; od -c m/etc/pve/mapping/pci.cfg | grep -o '\\r *\\n'
> \r  \n
> \r  \n
? 0

# Who used it is told.
% printf 'hostpci1: mapping=dos,pcie=1\n' >m/etc/pve/nodes/pve2/qemu-server/200.conf
$ pve-gpu --root m mapping remove dos -n | tail -n 1
> This would be written to /etc/pve/mapping/pci.cfg.
! pve-gpu: note: VM 200 on pve2 still uses mapping 'dos' (hostpci1) and does not start without it
? 0
$ pve-gpu --root m mapping remove dos | tail -n 1
> Written to /etc/pve/mapping/pci.cfg.
! pve-gpu: note: VM 200 on pve2 still uses mapping 'dos' (hostpci1) and does not start without it
? 0
