#!/bin/bash

echo 1
sleep 1

echo 2
sleep 1

echo 3
